/** English of the pages around accounts, access and devices; they load it themselves. */

import account from "./en-account";
import agents from "./en-agents";
import audit from "./en-audit";
import conversion from "./en-conversion";
import project from "./en-project";
import proposals from "./en-proposals";
import sensors from "./en-sensors";

export default { ...account, ...agents, ...project, ...audit, ...conversion, ...proposals, ...sensors };
