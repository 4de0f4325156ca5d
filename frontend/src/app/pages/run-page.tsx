/** A run: capture strip, live or stored charts, lanes, and what describes it. */

import { Button, Menu, Tooltip } from "@mantine/core";
import { lazy, Suspense, useMemo, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { useCaptures } from "@/api/captures";
import { download } from "@/api/download";
import { useExperiment } from "@/api/experiments";
import { useMayEdit, useProject } from "@/api/me";
import type { Capture, Run, Sensor } from "@/api/model";
import { isMissing } from "@/api/problem";
import { useChangeRun, useRun } from "@/api/runs";
import { useSensors } from "@/api/sensors";
import { CaptureList } from "@/features/captures/capture-list";
import { CaptureStrip } from "@/features/captures/capture-strip";
import { ChartsGrid } from "@/features/runs/charts-grid";
import { Conductor } from "@/features/runs/conductor";
import { RevisionSelect } from "@/features/runs/revision-select";
import { RunFacts } from "@/features/runs/run-facts";
import styles from "@/features/runs/run.module.css";
import { useRunView } from "@/features/runs/view-state";
import type { ViewWindow } from "@/telemetry/protocol";
import { useLiveLedgers } from "@/telemetry/use-ledgers";
import { useTelemetry } from "@/telemetry/use-telemetry";
import { EmptyState } from "@/ui/empty-state";
import { explain } from "@/ui/explain";
import { seconds } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { Loading, ProblemNote } from "@/ui/list-states";
import { NotFound } from "@/ui/not-found";
import { PageBar } from "@/ui/page-bar";
import { Tag, toneOf } from "@/ui/tag";
import { Time } from "@/ui/time";
import { toast } from "@/ui/toasts";
import { useHotkey } from "@/ui/use-hotkey";
import { usePhone } from "@/ui/use-phone";

/** Nobody asks for them before the page is drawn. */
const BindDialog = lazy(() => import("@/features/runs/bind-dialog").then((module) => ({ default: module.BindDialog })));
const FinishDialog = lazy(() => import("@/features/runs/finish-dialog").then((module) => ({ default: module.FinishDialog })));

const EDGE = 0.02;
const NO_CAPTURES: readonly Capture[] = [];
const NO_SENSORS: readonly Sensor[] = [];

export function RunPage(): ReactElement {
  const { t } = useTranslation();
  const { runId = "", experimentId = "" } = useParams();
  const project = useProject();
  const run = useRun(runId);
  if (run.isPending) return <Loading />;
  if (isMissing(run.error)) {
    return (
      <NotFound title={t("run.one")} text={t("run.notFound")} action={t("run.all")}
        back={{ to: `/p/${project.id}/experiments/${experimentId}`, text: t("experiment.one") }} />
    );
  }
  if (run.data === undefined) {
    return <ProblemNote title={t("run.problem")} problem={explain(run.error, t)} onRetry={() => void run.refetch()} />;
  }
  return <LoadedRun run={run.data} />;
}

function LoadedRun({ run }: { readonly run: Run }): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const client = useTelemetry();
  const mayEdit = useMayEdit();
  const experiment = useExperiment(run.experiment_id).data;
  const captures = useCaptures(run.id).data ?? NO_CAPTURES;
  const sensors = useSensors(project.id).data ?? NO_SENSORS;
  const change = useChangeRun(run.id);
  const view = useRunView();
  useLiveLedgers(run.id);
  const phone = usePhone();
  const [binding, setBinding] = useState<boolean | null>(null);
  const [finishing, setFinishing] = useState<boolean | null>(null);
  const over = run.status !== "draft" && run.status !== "scheduled" && run.status !== "running";
  const running = captures.find((capture) => capture.status === "running");
  const chosen = captures.find((capture) => capture.ordinal_number === view.state.capture);
  const stored = chosen !== undefined && chosen.stopped_at !== null ? chosen : undefined;
  const { windowS, frozenAt, fixed } = view.state;
  const window = useWindow(stored, fixed, frozenAt, windowS, view.state.revision ?? stored?.revision ?? null);
  const live = window.kind === "live" || (frozenAt !== null && fixed === null && stored === undefined);
  const freeze = (): void => view.freeze(frozenAt === null ? client.nowS() : null);
  useHotkey(" ", freeze, { enabled: live });
  useHotkey("Escape", () => (view.state.expanded === null ? view.live(windowS) : view.expand(null)));

  const choose = (capture: Capture): void => view.choose(capture.status === "running" ? null : capture.ordinal_number);
  const exported = stored ?? running ?? captures.find((capture) => capture.started_at !== null);
  const exportCsv = async (capture: Capture): Promise<void> => {
    const name = `run-${run.number}-capture-${capture.ordinal_number}.csv`;
    const of = capture.id === stored?.id && view.state.revision !== null ? `&revision=${view.state.revision}` : "";
    await download(`/api/v1/captures/${capture.id}/export?format=csv${of}`, name).catch((error: unknown) =>
      toast({ tone: "bad", title: t("run.exportFailed"), detail: explain(error, t).detail }),
    );
  };
  const begin = (): void =>
    change.mutate({ kind: "start" }, { onError: (error) => toast({ tone: "bad", title: t("run.startFailed"), detail: explain(error, t).detail }) });

  const conductor = (
    <Conductor live={live} frozen={frozenAt !== null && live} windowS={windowS} onLive={view.live} onFreeze={freeze}
      onFix={() => view.fix(client.nowS() - windowS, client.nowS())} />
  );

  return (
    <div className={styles.page}>
      <PageBar
        before={<Link to={`/p/${project.id}/experiments/${run.experiment_id}`}>{experiment?.name ?? t("experiment.one")}</Link>}
        title={t("run.numbered", { number: run.number })}
        after={
          <>
            <Tag tone={toneOf(run.status)}>{t(`status.${run.status}`)}</Tag>
            <span className={styles.optionalText}>
              {run.name}
              {run.started_at !== null && (
                <>
                  {" · "}
                  {t("run.since")} <Time at={seconds(run.started_at)} form="moment" />
                </>
              )}
            </span>
          </>
        }
      >
        {stored !== undefined && stored.revision > 1 && (
          <RevisionSelect newest={stored.revision} chosen={view.state.revision} onChoose={view.revise} />
        )}
        {!phone && conductor}
        {!phone && exported !== undefined && (
          <Tooltip label={t("run.exportHint", { number: exported.ordinal_number })}>
            <Button leftSection={<Icon name="download" size={14} />} onClick={() => void exportCsv(exported)}>
              {t("run.export")}
            </Button>
          </Tooltip>
        )}
        {mayEdit && (run.status === "draft" || run.status === "scheduled") && (
          <Button variant={run.sensors.length > 0 ? "filled" : "default"} loading={change.isPending} onClick={begin}>
            {t("run.start")}
          </Button>
        )}
        {!phone && mayEdit && run.status === "running" && <Button onClick={() => setFinishing(true)}>{t("run.finish")}</Button>}
      </PageBar>
      <div className={styles.body}>
        <div className={styles.main}>
          <CaptureStrip run={run} captures={captures} sensors={sensors} selected={stored} onOpen={choose} />
          {phone && (
            <div className={styles.phoneBar}>
              {conductor}
              <Menu position="bottom-end">
                <Menu.Target>
                  <Button variant="subtle" aria-label={t("run.more")}>
                    <Icon name="more" />
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  {live && <Menu.Item onClick={freeze}>{frozenAt === null ? t("window.freeze") : t("window.resume")}</Menu.Item>}
                  {exported !== undefined && <Menu.Item onClick={() => void exportCsv(exported)}>{t("run.exportHint", { number: exported.ordinal_number })}</Menu.Item>}
                  {mayEdit && run.status === "running" && <Menu.Item onClick={() => setFinishing(true)}>{t("run.finish")}</Menu.Item>}
                </Menu.Dropdown>
              </Menu>
            </div>
          )}
          {run.sensors.length === 0 ? (
            <EmptyState title={t("bind.empty")} text={t("bind.text")} hint={t("empty.hint")}
              action={
                mayEdit &&
                !over && (
                  <Button size="sm" variant="filled" onClick={() => setBinding(true)}>
                    {t("bind.title")}
                  </Button>
                )
              } />
          ) : (
            <ChartsGrid run={run} sensors={sensors} captures={captures} view={view} window={window}
              onCapture={(id) => {
                const capture = captures.find((each) => each.id === id);
                if (capture !== undefined) choose(capture);
              }} />
          )}
        </div>
        <aside className={styles.side} aria-label={t("run.side")}>
          <CaptureList captures={captures} selected={chosen ?? running} onSelect={choose} />
          <RunFacts run={run} sensors={sensors} view={view} over={over} onBind={() => setBinding(true)} />
        </aside>
      </div>
      <Suspense>
        {binding !== null && <BindDialog run={run} sensors={sensors} opened={binding} onClose={() => setBinding(false)} />}
        {finishing !== null && <FinishDialog run={run} recording={running !== undefined} opened={finishing} onClose={() => setFinishing(false)} />}
      </Suspense>
    </div>
  );
}

/** The window of all charts: a stored capture, a fixed span, a frozen moment, or now. */
function useWindow(stored: Capture | undefined, fixed: { from: number; to: number } | null, frozenAt: number | null, windowS: number, revision: number | null): ViewWindow {
  const from = stored?.started_at == null ? null : seconds(stored.started_at);
  const to = stored?.stopped_at == null ? null : seconds(stored.stopped_at);
  const captureId = stored?.id ?? null;
  const fixedFrom = fixed?.from ?? null;
  const fixedTo = fixed?.to ?? null;
  return useMemo((): ViewWindow => {
    if (fixedFrom !== null && fixedTo !== null) return { kind: "range", from: fixedFrom, to: fixedTo, captureId, revision };
    if (from !== null && to !== null) {
      const edge = Math.max(0.5, EDGE * (to - from));
      return { kind: "range", from: from - edge, to: to + edge, captureId, revision };
    }
    if (frozenAt !== null) return { kind: "range", from: frozenAt - windowS, to: frozenAt, captureId: null };
    return { kind: "live", windowS };
  }, [fixedFrom, fixedTo, from, to, captureId, frozenAt, windowS, revision]);
}
