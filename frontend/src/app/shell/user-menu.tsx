/** The user's menu: who one is, look, language, keys, log out. */

import { Menu, SegmentedControl, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import type { Me, Membership } from "@/api/model";
import { session } from "@/api/session";

import { chooseLanguage, LANGUAGES, type Language } from "../i18n";
import styles from "./shell.module.css";

interface Props {
  readonly me: Me;
  /** In the project of the page, where there is one. */
  readonly role?: Membership["role"];
  readonly onKeys: () => void;
}

const initials = (name: string): string =>
  name
    .split(/[\s.@]+/)
    .slice(0, 2)
    .map((part) => part.charAt(0).toUpperCase())
    .join("");

export function UserMenu({ me, role, onKeys }: Props): ReactElement {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const leave = (): void => {
    void session.logout();
    void navigate("/login");
  };
  return (
    <Menu position="bottom-end" width={260} closeOnItemClick>
      <Menu.Target>
        <UnstyledButton className={styles.user} aria-label={t("user.menu", { name: me.name })}>
          {initials(me.name === "" ? me.email : me.name)}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.name} {role !== undefined && `· ${t(`role.${role}`)}`}
          <br />
          {me.email}
        </Menu.Label>
        <div className={styles.choice}>
          <SegmentedControl
            aria-label={t("user.look")}
            value={colorScheme}
            onChange={(value) => setColorScheme(value)}
            data={(["auto", "light", "dark"] as const).map((value) => ({ value, label: t(`look.${value}`) }))}
          />
          <SegmentedControl
            aria-label={t("user.language")}
            value={i18n.language}
            onChange={(value) => void chooseLanguage(value as Language)}
            data={LANGUAGES.map(({ code, name }) => ({ value: code, label: name }))}
          />
        </div>
        <Menu.Item onClick={() => void navigate("/account")}>{t("user.account")}</Menu.Item>
        <Menu.Item onClick={onKeys} rightSection={<kbd>?</kbd>}>
          {t("keys.title")}
        </Menu.Item>
        <Menu.Item onClick={leave}>{t("user.logout")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
