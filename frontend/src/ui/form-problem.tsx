/** Why a form was refused, and how long to wait where there were too many tries. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ApiProblem } from "@/api/problem";

import { explain } from "./explain";
import styles from "./form.module.css";
import { Icon } from "./icons";
import { useWait } from "./use-wait";

export function FormProblem({ error }: { readonly error: unknown }): ReactElement | null {
  const { t } = useTranslation();
  const waitS = useWait(error);
  if (error === null || error === undefined) return null;
  const timed = error instanceof ApiProblem && error.retryAt !== null;
  if (timed && waitS === 0) return null;
  const time = waitS < 100 ? t("duration.s", { n: waitS }) : t("duration.min", { n: Math.ceil(waitS / 60) });
  return (
    <p role="alert" className={styles.problem}>
      <Icon name="warn" />
      <span>{timed ? t("form.wait", { time }) : explain(error, t).detail}</span>
    </p>
  );
}
