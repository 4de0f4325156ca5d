/** Ctrl K: go anywhere by name. */

import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState, type KeyboardEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useExperiments } from "@/api/experiments";
import { useProject } from "@/api/me";
import type { Me, Run } from "@/api/model";
import { Dialog } from "@/ui/dialog";
import { Icon } from "@/ui/icons";

import styles from "./dialogs.module.css";

interface Place {
  readonly key: string;
  readonly name: string;
  readonly where: string;
  readonly note: string;
  readonly to: string;
}

interface Props {
  readonly opened: boolean;
  readonly me: Me;
  readonly onClose: () => void;
}

const MOST = 12;

export function Palette({ opened, me, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Dialog opened={opened} onClose={onClose} title={t("shell.search")} bare>
      <Places me={me} onClose={onClose} />
    </Dialog>
  );
}

function usePlaces(me: Me): Place[] {
  const { t } = useTranslation();
  const project = useProject();
  const base = `/p/${project.id}`;
  const experiments = useExperiments(project.id).data;
  const cache = useQueryClient();
  return useMemo(() => {
    const runs = cache.getQueriesData<Run[]>({ queryKey: ["runs"] }).flatMap(([, list]) => list ?? []);
    const nameOf = new Map(experiments?.map((each) => [each.id, each.name]));
    const page = (name: string, path: string): Place => ({ key: path, name, where: "", note: "", to: base + path });
    return [
      page(t("tab.monitor"), "/monitor"),
      page(t("tab.proposals"), "/proposals"),
      page(t("tab.experiments"), "/experiments"),
      page(t("tab.audit"), "/audit"),
      page(t("tab.settings"), "/settings"),
      { key: "account", name: t("user.account"), where: "", note: "", to: "/account" },
      page(t("sensor.new"), "/sensors/new"),
      page(t("experiment.new"), "/experiments?new=1"),
      ...runs
        .filter((run) => run.project_id === project.id)
        .map((run) => ({
          key: run.id,
          name: t("run.numbered", { number: run.number }),
          where: [run.name, nameOf.get(run.experiment_id)].filter(Boolean).join(" · "),
          note: t(`status.${run.status}`),
          to: `${base}/experiments/${run.experiment_id}/runs/${run.id}`,
        })),
      ...(experiments ?? []).map((each) => ({
        key: each.id, name: each.name, where: t("experiment.one"), note: t(`status.${each.status}`), to: `${base}/experiments/${each.id}`,
      })),
      ...me.projects.map((each) => ({ key: `p${each.id}`, name: each.name, where: t("project.one"), note: "", to: `/p/${each.id}/monitor` })),
    ];
  }, [base, cache, experiments, me.projects, project.id, t]);
}

function Places({ me, onClose }: Omit<Props, "opened">): ReactElement {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const places = usePlaces(me);
  const [text, setText] = useState("");
  const [marked, setMarked] = useState(0);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (title: string): boolean => words.every((word) => title.toLowerCase().includes(word));
  // What bears the words in its own name comes before what lies in a place of that name.
  const found = places
    .filter((p) => holds(`${p.name} ${p.where}`))
    .sort((a, b) => Number(holds(b.name)) - Number(holds(a.name)))
    .slice(0, MOST);
  const at = Math.min(marked, Math.max(0, found.length - 1));
  const go = (place: Place | undefined): void => {
    if (place === undefined) return;
    onClose();
    void navigate(place.to);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === "ArrowDown") setMarked(Math.min(found.length - 1, at + 1));
    else if (event.key === "ArrowUp") setMarked(Math.max(0, at - 1));
    else if (event.key === "Enter") go(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <div className={styles.palette}>
      <div className={styles.field}>
        <Icon name="search" />
        <input
          data-autofocus
          role="combobox"
          aria-expanded
          aria-controls="palette-list"
          aria-activedescendant={found[at] === undefined ? undefined : `place-${at}`}
          aria-label={t("shell.search")}
          placeholder={t("shell.search")}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setMarked(0);
          }}
          onKeyDown={onKey}
        />
      </div>
      <div className={styles.list} id="palette-list" role="listbox" aria-label={t("palette.places")}>
        {found.map((place, i) => (
          <div key={place.key} id={`place-${i}`} role="option" aria-selected={i === at} tabIndex={-1} className={styles.option}
            onMouseMove={() => setMarked(i)} onClick={() => go(place)} onKeyDown={onKey}>
            {place.name} <small>{place.where}</small>
            <small>{place.note}</small>
          </div>
        ))}
      </div>
      {found.length === 0 && <p className={styles.none}>{t("palette.none")}</p>}
    </div>
  );
}
