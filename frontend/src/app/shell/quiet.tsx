/** The frame of the pages before a login: one quiet box, and the choice of the language. */

import { UnstyledButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Outlet } from "react-router";

import { Icon } from "@/ui/icons";

import { chooseLanguage, LANGUAGES } from "../i18n";
import styles from "./quiet.module.css";

export function Quiet(): ReactElement {
  const { t, i18n } = useTranslation();
  return (
    <main className={styles.page}>
      <div className={styles.box}>
        <span className={styles.logo}>
          <Icon name="logo" size={28} />
        </span>
        <Outlet />
      </div>
      <div className={styles.languages} role="group" aria-label={t("user.language")}>
        {LANGUAGES.map(({ code, name }) => (
          <UnstyledButton key={code} lang={code} aria-pressed={i18n.language === code} onClick={() => void chooseLanguage(code)}>
            {name}
          </UnstyledButton>
        ))}
      </div>
    </main>
  );
}
