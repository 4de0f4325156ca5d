/** The header: project, words as tabs, what records, search, user, time. */

import { Menu, Tooltip, UnstyledButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { NavLink, useLocation, useNavigate } from "react-router";

import { useProject } from "@/api/me";
import type { Me } from "@/api/model";
import { useTelemetry } from "@/telemetry/use-telemetry";
import { clock, utc } from "@/ui/format";
import { Icon } from "@/ui/icons";
import { useNow } from "@/ui/use-now";

import { RecordingBlock } from "./recording-block";
import styles from "./shell.module.css";
import { UserMenu } from "./user-menu";

interface Props {
  readonly me: Me;
  readonly onPalette: () => void;
  readonly onKeys: () => void;
}

export function Header({ me, onPalette, onKeys }: Props): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const navigate = useNavigate();
  const base = `/p/${project.id}`;
  const onSensors = useLocation().pathname.startsWith(`${base}/sensors`);
  return (
    <header className={styles.header}>
      <Menu position="bottom-start">
        <Menu.Target>
          <UnstyledButton className={styles.menu} aria-label={t("shell.menu")}>
            <Icon name="menu" />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => void navigate(`${base}/monitor`)}>{t("tab.monitor")}</Menu.Item>
          <Menu.Item onClick={() => void navigate(`${base}/experiments`)}>{t("tab.experiments")}</Menu.Item>
          <Menu.Item onClick={() => void navigate(`${base}/audit`)}>{t("tab.audit")}</Menu.Item>
          <Menu.Item onClick={() => void navigate(`${base}/settings`)}>{t("tab.settings")}</Menu.Item>
          {project.role !== "viewer" && <Menu.Item onClick={() => void navigate(`${base}/sensors/new`)}>{t("sensor.new")}</Menu.Item>}
          <Menu.Item onClick={onPalette}>{t("shell.search")}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <span className={styles.logo}>
        <Icon name="logo" size={20} />
      </span>
      <Menu position="bottom-start">
        <Menu.Target>
          <UnstyledButton className={styles.project} title={project.name} aria-label={t("shell.project", { name: project.name })}>
            <span>{project.name}</span>
            <Icon name="down" size={12} />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t("shell.projects")}</Menu.Label>
          {me.projects.map((each) => (
            <Menu.Item key={each.id} onClick={() => void navigate(`/p/${each.id}/monitor`)}
              rightSection={each.id === project.id ? <Icon name="check" /> : null}>
              {each.name}
            </Menu.Item>
          ))}
          <Menu.Item leftSection={<Icon name="plus" size={14} />} onClick={() => void navigate("/projects/new")}>
            {t("project.new")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <nav className={styles.tabs} aria-label={t("shell.pages")}>
        <NavLink to={`${base}/monitor`} {...(onSensors ? { "aria-current": "page" } : {})}>
          {t("tab.monitor")}
        </NavLink>
        <NavLink to={`${base}/experiments`}>{t("tab.experiments")}</NavLink>
        <NavLink to={`${base}/audit`}>{t("tab.audit")}</NavLink>
        <NavLink to={`${base}/settings`}>{t("tab.settings")}</NavLink>
      </nav>
      <RecordingBlock />
      <UnstyledButton className={styles.search} onClick={onPalette} aria-label={t("shell.search")} aria-keyshortcuts="Control+K">
        <Icon name="search" size={14} />
        <span>{t("shell.search")}</span>
        <kbd>Ctrl K</kbd>
      </UnstyledButton>
      <UserMenu me={me} role={project.role} onKeys={onKeys} />
      <Clock />
    </header>
  );
}

/** For whoever is in no project yet. */
export function BareHeader({ me, onKeys }: Omit<Props, "onPalette">): ReactElement {
  return (
    <header className={styles.header}>
      <span className={styles.logo} data-alone>
        <Icon name="logo" size={20} />
      </span>
      <UserMenu me={me} onKeys={onKeys} />
      <Clock />
    </header>
  );
}

function Clock(): ReactElement {
  const client = useTelemetry();
  const now = useNow(() => client.nowS());
  return (
    <Tooltip label={utc(now)}>
      <time className={styles.clock} dateTime={new Date(now * 1000).toISOString()}>
        {clock(now)}
      </time>
    </Tooltip>
  );
}
