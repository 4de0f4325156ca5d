/** Name and description, who may read raw values, the project's end. */

import { Button, Textarea, TextInput } from "@mantine/core";
import type { SubmitEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useProject } from "@/api/me";
import type { Project } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { useProjectItself, useRenameProject, useSetRawPolicy } from "@/api/project";
import { Choices } from "@/ui/choices";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { seconds } from "@/ui/format";
import { Loaded } from "@/ui/loaded";
import { Region } from "@/ui/region";
import { Time } from "@/ui/time";
import { toast } from "@/ui/toasts";

import { DeleteProject } from "./delete-project";
import styles from "./settings.module.css";

const POLICIES = ["physical-only", "open"] as const satisfies readonly Project["raw_policy"][];

export function GeneralTab(): ReactElement {
  const { t } = useTranslation();
  const { id, role } = useProject();
  const project = useProjectItself(id);
  return (
    <Loaded query={project} problem={t("settings.problem")}>
      {(found) => (
        <>
          {role === "viewer" ? <Words project={found} /> : <WordsForm project={found} />}
          <RawPolicy project={found} mayDecide={role === "owner"} />
          {role === "owner" && <DeleteProject project={found} />}
        </>
      )}
    </Loaded>
  );
}

function Words({ project }: { readonly project: Project }): ReactElement {
  const { t } = useTranslation();
  return (
    <Region title={t("settings.words")} text={t("settings.readOnly")}>
      <div>
        <p className={styles.name}>{project.name}</p>
        <p className={styles.description}>{project.description === "" ? t("settings.noDescription") : project.description}</p>
      </div>
      <Created project={project} />
    </Region>
  );
}

function Created({ project }: { readonly project: Project }): ReactElement {
  const { t } = useTranslation();
  return (
    <p className={styles.quiet}>
      {t("experiment.created")} <Time at={seconds(project.created_at)} form="moment" />
    </p>
  );
}

function WordsForm({ project }: { readonly project: Project }): ReactElement {
  const { t } = useTranslation();
  const rename = useRenameProject(project.id);
  const fields = refusedFields(rename.error);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string): string => ((data.get(name) as string | null) ?? "").trim();
    rename.mutate({ name: text("name"), description: text("description") }, { onSuccess: () => toast({ tone: "ok", title: t("settings.saved") }) });
  };
  return (
    <Region title={t("settings.words")} text={t("settings.wordsText")}>
      <form onSubmit={submit} className={form.form}>
        <TextInput size="sm" name="name" label={t("project.name")} defaultValue={project.name} required withAsterisk={false} maxLength={200} error={fields.name} />
        <Textarea name="description" label={t("experiment.description")} defaultValue={project.description} rows={4} maxLength={10_000} error={fields.description} />
        <FormProblem error={rename.error} fields={["name", "description"]} />
        <div className={styles.row}>
          <Button type="submit" loading={rename.isPending}>
            {t("save")}
          </Button>
          <Created project={project} />
        </div>
      </form>
    </Region>
  );
}

interface PolicyProps {
  readonly project: Project;
  readonly mayDecide: boolean;
}

function RawPolicy({ project, mayDecide }: PolicyProps): ReactElement {
  const { t } = useTranslation();
  const change = useSetRawPolicy(project.id);
  const chosen = change.isPending ? change.variables : project.raw_policy;
  return (
    <Region title={t("raw.title")} text={mayDecide ? t("raw.about") : t("settings.ownersDecide")}>
      {mayDecide ? (
        <Choices question={t("raw.question")} value={chosen} choices={POLICIES.map((value) => ({ value, title: t(`raw.${value}`), text: t(`raw.${value}Text`) }))}
          onChange={(policy) => change.mutate(policy, { onSuccess: () => toast({ tone: "ok", title: t("settings.saved"), detail: t(`raw.${policy}Text`) }) })} />
      ) : (
        <div>
          <p className={styles.name}>{t(`raw.${project.raw_policy}`)}</p>
          <p className={styles.description}>{t(`raw.${project.raw_policy}Text`)}</p>
        </div>
      )}
      <FormProblem error={change.error} />
    </Region>
  );
}
