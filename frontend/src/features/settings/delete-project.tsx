/** The project's end: asked for by typing its name. */

import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import type { Project } from "@/api/model";
import { useDeleteProject } from "@/api/project";
import { Answers } from "@/ui/answers";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { Region } from "@/ui/region";
import { toast } from "@/ui/toasts";

export function DeleteProject({ project }: { readonly project: Project }): ReactElement {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <Region title={t("delete.title")} text={t("delete.about")}>
      <div>
        <Button onClick={() => setAsking(true)}>{t("delete.button")}</Button>
      </div>
      <Dialog opened={asking} onClose={() => setAsking(false)} title={t("delete.ask", { name: project.name })}>
        <Question project={project} onClose={() => setAsking(false)} />
      </Dialog>
    </Region>
  );
}

interface Props {
  readonly project: Project;
  readonly onClose: () => void;
}

function Question({ project, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const remove = useDeleteProject(project.id);
  const [typed, setTyped] = useState("");
  const erase = (): void =>
    remove.mutate(undefined, {
      onSuccess: () => {
        toast({ tone: "warn", title: t("delete.done", { name: project.name }) });
        // Away from its pages first: they would only say that it is gone.
        void Promise.resolve(navigate("/", { replace: true })).then(() => cache.refetchQueries({ queryKey: ["me"] }));
      },
    });
  return (
    <form
      className={form.form}
      onSubmit={(event) => {
        event.preventDefault();
        erase();
      }}
    >
      <p className={form.text}>{t("delete.text")}</p>
      <TextInput size="sm" label={t("delete.type", { name: project.name })} autoComplete="off" spellCheck={false} data-autofocus value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)} />
      <FormProblem error={remove.error} />
      <Answers submit={t("delete.button")} busy={remove.isPending} disabled={typed.trim() !== project.name.trim()} onCancel={onClose} />
    </form>
  );
}
