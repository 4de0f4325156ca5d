/** Why a form was refused, and how long to wait where there were too many tries. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ApiProblem, refusedFields } from "@/api/problem";

import { explain } from "./explain";
import styles from "./form.module.css";
import { Icon } from "./icons";
import { useWait } from "./use-wait";

interface Props {
  readonly error: unknown;
  /** The fields beside which the form itself shows what was refused. */
  readonly fields?: readonly string[];
}

export function FormProblem({ error, fields = [] }: Props): ReactElement | null {
  const { t } = useTranslation();
  const waitS = useWait(error);
  if (error === null || error === undefined) return null;
  const timed = error instanceof ApiProblem && error.retryAt !== null;
  if (timed && waitS === 0) return null;
  const refused = Object.entries(refusedFields(error));
  const elsewhere = refused.filter(([name]) => !fields.includes(name));
  if (refused.length > 0 && elsewhere.length === 0) return null;
  const other = elsewhere.map(([name, message]) => `${name}: ${message}`).join(" · ");
  const time = waitS < 100 ? t("duration.s", { n: waitS }) : t("duration.min", { n: Math.ceil(waitS / 60) });
  return (
    <p role="alert" className={styles.problem}>
      <Icon name="warn" />
      <span>{timed ? t("form.wait", { time }) : other !== "" ? other : explain(error, t).detail}</span>
    </p>
  );
}
