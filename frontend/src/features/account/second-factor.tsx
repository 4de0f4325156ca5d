/** The second factor: whether it is on, setting it up, taking it away, and the recovery codes. */

import { Button } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Me } from "@/api/model";
import { Region } from "@/ui/region";
import { StateMark } from "@/ui/state-mark";

import styles from "./account.module.css";
import { CodeDialog } from "./code-dialog";
import { SetUpDialog } from "./set-up-dialog";

/** From here on the page asks for new recovery codes. */
const FEW = 3;

type Asked = "set-up" | "disable" | "recovery-codes" | null;

export function SecondFactor({ me }: { readonly me: Me }): ReactElement {
  const { t } = useTranslation();
  const [asked, setAsked] = useState<Asked>(null);
  const close = (): void => setAsked(null);
  const few = me.recovery_codes_left <= FEW;
  return (
    <>
      <Region title={t("mfa.title")} text={t("mfa.about")}>
        <p className={styles.state}>
          <StateMark mark={me.mfa ? "ok" : "none"} />
          {me.mfa ? t("mfa.on") : t("mfa.off")}
        </p>
        <div>
          {me.mfa ? (
            <Button onClick={() => setAsked("disable")}>{t("mfa.disable")}</Button>
          ) : (
            <Button variant="filled" onClick={() => setAsked("set-up")}>
              {t("mfa.setUp")}
            </Button>
          )}
        </div>
      </Region>
      {me.mfa && (
        <Region title={t("recovery.title")} text={t("recovery.about")}>
          <p className={styles.state}>
            <StateMark mark={few ? "warn" : "ok"} />
            {t("recovery.left", { count: me.recovery_codes_left })}
          </p>
          <div>
            <Button onClick={() => setAsked("recovery-codes")}>{t("recovery.renew")}</Button>
          </div>
        </Region>
      )}
      <SetUpDialog opened={asked === "set-up"} onClose={close} />
      <CodeDialog use={asked === "set-up" ? null : asked} onClose={close} />
    </>
  );
}
