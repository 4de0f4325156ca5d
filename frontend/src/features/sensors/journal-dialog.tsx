/** The journal of one sensor over the monitor: what went wrong, how often, and an example where one may see it. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useJournal } from "@/api/journal";
import type { JournalEntry, JournalKind, Sensor } from "@/api/model";
import { Dialog } from "@/ui/dialog";
import { explain } from "@/ui/explain";
import { count, seconds } from "@/ui/format";
import { Loading, NothingFound, ProblemNote } from "@/ui/list-states";
import list from "@/ui/list-table.module.css";
import { Select } from "@/ui/select";
import { Time } from "@/ui/time";

import { exampleOf } from "./journal-example";
import styles from "./journal.module.css";

const KINDS = [
  "rejected",
  "time_future",
  "packet_refused",
  "rate_limited",
  "unauthorized",
  "conversion_error",
  "out_of_range",
  "clock_skew",
  "dropped",
] as const satisfies readonly JournalKind[];

interface Props {
  readonly sensor: Sensor | undefined;
  readonly onClose: () => void;
}

export function JournalDialog({ sensor, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Dialog opened={sensor !== undefined} onClose={onClose} title={t("journal.title", { name: sensor?.name ?? "" })} size="large">
      {sensor !== undefined && <Journal key={sensor.id} sensorId={sensor.id} />}
    </Dialog>
  );
}

function Journal({ sensorId }: { readonly sensorId: string }): ReactElement {
  const { t } = useTranslation();
  const [kind, setKind] = useState<JournalKind | null>(null);
  const journal = useJournal(sensorId, kind);
  const entries = journal.data?.pages.flatMap((page) => page.items) ?? [];
  const hidden = entries.length > 0 && entries.every((entry) => entry.details === undefined);
  return (
    <>
      <Select className={styles.filter} aria-label={t("journal.filter")} value={kind ?? "all"}
        onChange={(value) => setKind(value === "all" ? null : value)}
        data={[{ value: "all", label: t("journal.all") }, ...KINDS.map((each) => ({ value: each, label: t(`journalKind.${each}`) }))]} />
      {journal.isPending && <Loading />}
      {journal.data === undefined && journal.error !== null && (
        <ProblemNote title={t("journal.problem")} problem={explain(journal.error, t)} onRetry={() => void journal.refetch()} />
      )}
      {journal.data !== undefined && entries.length === 0 && (
        <NothingFound>{t(kind === null ? "journal.none" : "journal.noneOfKind")}</NothingFound>
      )}
      {entries.length > 0 && <Entries entries={entries} />}
      {hidden && <p className={styles.hidden}>{t("journal.hidden")}</p>}
      {journal.hasNextPage && (
        <Button loading={journal.isFetchingNextPage} onClick={() => void journal.fetchNextPage()}>
          {t("journal.more")}
        </Button>
      )}
    </>
  );
}

function Entries({ entries }: { readonly entries: readonly JournalEntry[] }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={list.wrap}>
      <table className={`${list.table ?? ""} ${styles.table ?? ""}`}>
        <thead>
          <tr>
            <th scope="col">{t("journal.when")}</th>
            <th scope="col">{t("journal.what")}</th>
            <th scope="col" className={list.right}>{t("journal.count")}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id}>
              <td className={styles.when}>
                <Time at={seconds(entry.last_at)} form="stamp" />
              </td>
              <th scope="row">
                {t(`journalKind.${entry.kind}`)}
                <Example entry={entry} />
              </th>
              <td className={list.right}>{count(entry.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Example({ entry }: { readonly entry: JournalEntry }): ReactElement {
  const { t } = useTranslation();
  const codes = Object.entries(entry.codes).map(([code, times]) => `${code} × ${count(times)}`);
  const lines = [codes.join(", "), exampleOf(entry, t)].filter((line) => line !== "");
  return (
    <>
      {lines.map((line) => (
        <span key={line} className={styles.example}>
          {line}
        </span>
      ))}
    </>
  );
}
