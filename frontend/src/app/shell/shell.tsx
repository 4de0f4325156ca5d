/** The frame of every page: header above, the page below, telemetry behind both. */

import { useEffect, useMemo, useRef, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, Outlet, useParams } from "react-router";

import { ProjectContext, useMe } from "@/api/me";
import { renew, session } from "@/api/session";
import { TelemetryClient } from "@/telemetry/client";
import { TelemetryContext } from "@/telemetry/use-telemetry";
import { explain } from "@/ui/explain";
import { Loading, ProblemNote } from "@/ui/list-states";
import { useHotkey } from "@/ui/use-hotkey";

import { UnknownAddress } from "../pages/unknown-address";
import { BareHeader, Header } from "./header";
import { KeysDialog } from "./keys-dialog";
import { lastProject, rememberProject } from "./last-project";
import { Palette } from "./palette";
import styles from "./shell.module.css";
import { useAccessWatch } from "./use-access-watch";
import { useEventWatch } from "./use-event-watch";

// One worker for the life of the page: navigating keeps what it holds.
let telemetry: TelemetryClient | null = null;

function telemetryOfPage(): TelemetryClient {
  if (telemetry === null) {
    telemetry = new TelemetryClient();
    telemetry.onTokenNeeded = () => void renew();
  }
  return telemetry;
}

export function Shell(): ReactElement {
  const { t } = useTranslation();
  const { projectId } = useParams();
  const me = useMe();
  const client = useMemo(() => telemetryOfPage(), []);
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  const main = useRef<HTMLElement>(null);
  const [entered, setEntered] = useState<string | null>(null);
  useHotkey("k", () => setPalette(true), { ctrl: true });
  useHotkey("?", () => setKeys(true));
  useEffect(() => {
    const tell = (): void => client.session(session.token());
    tell();
    return session.on(tell);
  }, [client]);
  // Outside a project the header keeps the last one in sight, and whether it records.
  const projects = me.data?.projects ?? [];
  const project = projectId === undefined ? lastProject(projects) : projects.find((each) => each.id === projectId);
  if (project !== undefined && project.id !== entered) setEntered(project.id);
  useEffect(() => {
    if (projectId !== undefined && projectId === entered) rememberProject(projectId);
  }, [projectId, entered]);
  useAccessWatch(client, me.data === undefined ? null : project);
  useEventWatch(client, project?.id ?? null);

  if (me.isPending) return <Loading />;
  if (me.data === undefined) return <ProblemNote title={t("page.failed")} problem={explain(me.error, t)} onRetry={() => void me.refetch()} />;
  const foreign = project === undefined && projectId !== undefined;
  // Who was let in here and no longer is goes on to another project; who never was is told.
  if (foreign && projectId === entered) return <Navigate to="/" replace />;
  return (
    <TelemetryContext value={client}>
      <ProjectContext value={project ?? null}>
        <a className={styles.skip} href="#page" onClick={() => main.current?.focus()}>
          {t("shell.skip")}
        </a>
        {project === undefined ? (
          <BareHeader me={me.data} onKeys={() => setKeys(true)} />
        ) : (
          <Header me={me.data} onPalette={() => setPalette(true)} onKeys={() => setKeys(true)} />
        )}
        <main id="page" ref={main} tabIndex={-1} className={styles.page}>
          {foreign ? <UnknownAddress /> : <Outlet />}
        </main>
        {project !== undefined && <Palette opened={palette} me={me.data} onClose={() => setPalette(false)} />}
        <KeysDialog opened={keys} onClose={() => setKeys(false)} />
      </ProjectContext>
    </TelemetryContext>
  );
}
