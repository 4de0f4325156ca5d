/** Stands at addresses that lead nowhere: says which one it is, and where one can go from here. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "react-router";

import { useMe } from "@/api/me";
import { PageBar } from "@/ui/page-bar";

import styles from "./unknown-address.module.css";

export function UnknownAddress(): ReactElement {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const projects = useMe().data?.projects ?? [];
  return (
    <>
      <PageBar title={t("page.unknown")} />
      <div className={styles.text}>
        <p>
          {t("page.unknownText")} <code>{pathname}</code>
        </p>
        <div className={styles.ways}>
          {projects.map((project) => (
            <Button key={project.id} component={Link} to={`/p/${project.id}/monitor`}>
              {t("page.toMonitor", { project: project.name })}
            </Button>
          ))}
          {projects.length === 0 && (
            <Button component={Link} to="/projects/new">
              {t("project.new")}
            </Button>
          )}
        </div>
      </div>
    </>
  );
}
