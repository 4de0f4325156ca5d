/** Create a project: the first one, or one more. */

import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { api, body } from "@/api/client";
import { useMe } from "@/api/me";
import { EmptyState } from "@/ui/empty-state";
import { explain } from "@/ui/explain";
import { PageBar } from "@/ui/page-bar";

import styles from "./new-project.module.css";

export function NewProjectPage(): ReactElement {
  const { t } = useTranslation();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const me = useMe();
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => body(api.POST("/api/v1/projects", { body: { name: name.trim() } })),
    onSuccess: async (project) => {
      await cache.refetchQueries({ queryKey: ["me"] });
      await navigate(`/p/${project.id}/monitor`);
    },
  });
  const first = (me.data?.projects.length ?? 0) === 0;
  return (
    <>
    <PageBar title={t("project.new")} />
    <EmptyState
      title={first ? t("project.none") : t("project.another")}
      text={t("project.noneText")}
      hint={t("project.hint")}
      action={
        <div className={styles.ways}>
          <form
            className={styles.form}
            onSubmit={(event) => {
              event.preventDefault();
              create.mutate();
            }}
          >
            <TextInput size="sm" label={t("project.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} required maxLength={200}
              withAsterisk={false} error={create.error === null ? undefined : explain(create.error, t).detail} />
            <Button type="submit" size="sm" variant="filled" loading={create.isPending}>
              {t("project.create")}
            </Button>
          </form>
          <p>
            {t("login.invited")} <Link to="/register">{t("project.accept")}</Link>
          </p>
        </div>
      }
    />
    </>
  );
}
