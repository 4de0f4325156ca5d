/** English of the pages around accounts and access; they load it themselves. */

import account from "./en-account";
import audit from "./en-audit";
import project from "./en-project";
import proposals from "./en-proposals";

export default { ...account, ...project, ...audit, ...proposals };
