/** English of the pages around accounts and access; they load it themselves. */

import account from "./en-account";
import audit from "./en-audit";
import conversion from "./en-conversion";
import project from "./en-project";
import proposals from "./en-proposals";

export default { ...account, ...project, ...audit, ...conversion, ...proposals };
