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

import { Header } from "./header";
import { KeysDialog } from "./keys-dialog";
import { rememberProject } from "./last-project";
import { Palette } from "./palette";
import styles from "./shell.module.css";

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
  useHotkey("k", () => setPalette(true), { ctrl: true });
  useHotkey("?", () => setKeys(true));
  useEffect(() => {
    const tell = (): void => client.session(session.token());
    tell();
    return session.on(tell);
  }, [client]);
  useEffect(() => {
    if (projectId !== undefined) rememberProject(projectId);
  }, [projectId]);

  if (me.isPending) return <Loading />;
  if (me.isError) return <ProblemNote title={t("page.failed")} problem={explain(me.error, t)} onRetry={() => void me.refetch()} />;
  const project = me.data.projects.find((each) => each.id === projectId);
  if (project === undefined) return <Navigate to="/" replace />;
  return (
    <TelemetryContext value={client}>
      <ProjectContext value={project}>
        <a className={styles.skip} href="#page" onClick={() => main.current?.focus()}>
          {t("shell.skip")}
        </a>
        <Header me={me.data} onPalette={() => setPalette(true)} onKeys={() => setKeys(true)} />
        <main id="page" ref={main} tabIndex={-1} className={styles.page}>
          <Outlet />
        </main>
        <Palette opened={palette} me={me.data} onClose={() => setPalette(false)} />
        <KeysDialog opened={keys} onClose={() => setKeys(false)} />
      </ProjectContext>
    </TelemetryContext>
  );
}
