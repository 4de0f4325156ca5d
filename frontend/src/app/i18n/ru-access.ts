/** Russian of the pages around accounts and access; they load it themselves. */

import account from "./ru-account";
import audit from "./ru-audit";
import conversion from "./ru-conversion";
import project from "./ru-project";
import proposals from "./ru-proposals";

export default { ...account, ...project, ...audit, ...conversion, ...proposals };
