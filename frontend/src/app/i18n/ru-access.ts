/** Russian of the pages around accounts, access and devices; they load it themselves. */

import account from "./ru-account";
import agents from "./ru-agents";
import audit from "./ru-audit";
import conversion from "./ru-conversion";
import project from "./ru-project";
import proposals from "./ru-proposals";
import sensors from "./ru-sensors";

export default { ...account, ...agents, ...project, ...audit, ...conversion, ...proposals, ...sensors };
