/** For a user without a project: create the first one. */

import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { api, body } from "@/api/client";
import { EmptyState } from "@/ui/empty-state";
import { explain } from "@/ui/explain";

export function FirstProject(): ReactElement {
  const { t } = useTranslation();
  const cache = useQueryClient();
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => body(api.POST("/api/v1/projects", { body: { name: name.trim() } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ["me"] }),
  });
  return (
    <main>
      <EmptyState
        title={t("project.none")}
        text={t("project.noneText")}
        hint={t("project.hint")}
        action={
          <form
            style={{ display: "flex", gap: 8, alignItems: "flex-end" }}
            onSubmit={(event) => {
              event.preventDefault();
              create.mutate();
            }}
          >
            <TextInput size="sm" label={t("project.name")} value={name} onChange={(event) => setName(event.currentTarget.value)} required
              withAsterisk={false} error={create.error === null ? undefined : explain(create.error, t).detail} />
            <Button type="submit" size="sm" variant="filled" loading={create.isPending}>
              {t("project.create")}
            </Button>
          </form>
        }
      />
    </main>
  );
}
