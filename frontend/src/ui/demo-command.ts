/** How one calls the demo's sensors for a project of this hub, ready to be pasted into a shell. */

const quoted = (text: string): string => (/^[\w.@:/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The password is asked of nobody: the demo's holds, unless ETP_OWNER_PASSWORD names another. */
export function demoCommand(what: string, project: string, email: string, origin: string): string {
  return [`.venv/bin/demo-sensor ${what} \\`, `  --project ${quoted(project)} --email ${quoted(email)} \\`, `  --hub ${origin}`].join("\n");
}
