/** Russian of the pages around accounts and access; they load it themselves. */

import account from "./ru-account";
import project from "./ru-project";

export default { ...account, ...project };
