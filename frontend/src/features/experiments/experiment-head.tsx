/** What an experiment is about. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Experiment } from "@/api/model";
import { seconds } from "@/ui/format";
import { Tag } from "@/ui/tag";
import { Time } from "@/ui/time";

import styles from "./experiments.module.css";

export function ExperimentHead({ experiment }: { readonly experiment: Experiment }): ReactElement {
  const { t } = useTranslation();
  return (
    <section className={styles.about} aria-label={t("experiment.about")}>
      {experiment.description !== "" && <p className={styles.description}>{experiment.description}</p>}
      <p className={styles.meta}>
        {experiment.tags.map((tag) => (
          <Tag key={tag} tone="none">
            {tag}
          </Tag>
        ))}
        <span>
          {t("experiment.created")} <Time at={seconds(experiment.created_at)} form="moment" />
        </span>
      </p>
    </section>
  );
}
