/** Make a personal token; its text is shown once. */

import { Button, TextInput } from "@mantine/core";
import { useState, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useCreatePersonalToken } from "@/api/account";
import type { Membership, PersonalToken } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { Answers, CloseAnswer } from "@/ui/answers";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { Icon } from "@/ui/icons";
import { Select } from "@/ui/select";
import { ShownOnce } from "@/ui/shown-once";
import { useQueryState } from "@/ui/use-query-state";

const SCOPES = ["read", "write", "admin"] as const;
const DAYS = ["30", "90", "180", "366"] as const;

export function NewTokenButton({ projects }: { readonly projects: readonly Membership[] }): ReactElement {
  const { t } = useTranslation();
  const [opened, setOpened] = useQueryState("new");
  const create = useCreatePersonalToken();
  const close = (): void => {
    create.reset();
    setOpened(null);
  };
  return (
    <>
      <Button variant="filled" leftSection={<Icon name="plus" />} onClick={() => setOpened("1")}>
        {t("tokens.new")}
      </Button>
      <Dialog opened={opened !== null} onClose={close} title={t("tokens.new")} locked={create.data !== undefined}>
        {create.data === undefined ? (
          <Fields projects={projects} create={create} onClose={close} />
        ) : (
          <div className={form.form}>
            <ShownOnce label={create.data.name} secret={create.data.token ?? ""} warning={t("tokens.once")} />
            <CloseAnswer onClose={close} />
          </div>
        )}
      </Dialog>
    </>
  );
}

interface FieldsProps {
  readonly projects: readonly Membership[];
  readonly create: ReturnType<typeof useCreatePersonalToken>;
  readonly onClose: () => void;
}

function Fields({ projects, create, onClose }: FieldsProps): ReactElement {
  const { t } = useTranslation();
  const [scope, setScope] = useState<PersonalToken["scope"]>("read");
  const [project, setProject] = useState("");
  const [days, setDays] = useState<(typeof DAYS)[number]>("90");
  const fields = refusedFields(create.error);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const name = ((new FormData(event.currentTarget).get("name") as string | null) ?? "").trim();
    create.mutate({ name, scope, project_id: project === "" ? null : project, expires_in_days: Number(days) });
  };
  return (
    <form onSubmit={submit} className={form.form}>
      <TextInput size="sm" name="name" label={t("tokens.name")} description={t("tokens.nameHelp")} autoComplete="off" required withAsterisk={false}
        maxLength={200} data-autofocus error={fields.name} />
      <Select size="sm" label={t("tokens.scope")} description={t(`scope.${scope}Text`)} value={scope} onChange={setScope}
        inputWrapperOrder={["label", "input", "description", "error"]} data={SCOPES.map((value) => ({ value, label: t(`scope.${value}`) }))} />
      <Select size="sm" label={t("tokens.project")} value={project} onChange={setProject}
        data={[{ value: "", label: t("tokens.allProjects") }, ...projects.map((each) => ({ value: each.id, label: each.name }))]} />
      <Select size="sm" label={t("tokens.expires")} value={days} onChange={setDays}
        data={DAYS.map((value) => ({ value, label: t("days.in", { count: Number(value) }) }))} />
      <FormProblem error={create.error} fields={["name"]} />
      <Answers submit={t("tokens.create")} busy={create.isPending} onCancel={onClose} />
    </form>
  );
}
