/** Invite somebody: as what, how often, until when; the link is shown once. */

import { Button, TextInput } from "@mantine/core";
import { useState, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useProject } from "@/api/me";
import { useCreateInvite } from "@/api/members";
import { ROLES, type Role } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { Answers, CloseAnswer } from "@/ui/answers";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { Icon } from "@/ui/icons";
import { Select } from "@/ui/select";
import { ShownOnce } from "@/ui/shown-once";
import { useQueryState } from "@/ui/use-query-state";

const USES = ["1", "5", "20", "100"] as const;
const DAYS = ["1", "7", "30", "90"] as const;
const DAY_S = 86_400;

export function InviteButton(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const create = useCreateInvite(project.id);
  const [opened, setOpened] = useQueryState("invite");
  const close = (): void => {
    create.reset();
    setOpened(null);
  };
  return (
    <>
      <Button variant="filled" leftSection={<Icon name="plus" />} onClick={() => setOpened("1")}>
        {t("invites.new")}
      </Button>
      <Dialog opened={opened !== null} onClose={close} title={t("invites.into", { project: project.name })} locked={create.data !== undefined}>
        {create.data === undefined ? (
          <Fields create={create} onClose={close} />
        ) : (
          <div className={form.form}>
            <ShownOnce label={t("invites.link")} secret={create.data.link ?? ""} warning={t("invites.once")} />
            <CloseAnswer onClose={close} />
          </div>
        )}
      </Dialog>
    </>
  );
}

interface Props {
  readonly create: ReturnType<typeof useCreateInvite>;
  readonly onClose: () => void;
}

function Fields({ create, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const [role, setRole] = useState<Role>("viewer");
  const [uses, setUses] = useState<(typeof USES)[number]>("1");
  const [days, setDays] = useState<(typeof DAYS)[number]>("7");
  const fields = refusedFields(create.error);
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const note = ((new FormData(event.currentTarget).get("note") as string | null) ?? "").trim();
    create.mutate({ role, note, max_uses: Number(uses), expires_in_s: Number(days) * DAY_S });
  };
  return (
    <form onSubmit={submit} className={form.form}>
      <TextInput size="sm" name="note" label={t("invites.for")} description={t("invites.noteHelp")} autoComplete="off" maxLength={200} data-autofocus error={fields.note} />
      <Select size="sm" label={t("members.role")} description={t(`role.${role}Text`)} value={role} onChange={setRole}
        inputWrapperOrder={["label", "input", "description", "error"]} data={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))} />
      <Select size="sm" label={t("invites.goodFor")} value={uses} onChange={setUses}
        data={USES.map((value) => ({ value, label: t("invites.people", { count: Number(value) }) }))} />
      <Select size="sm" label={t("tokens.expires")} value={days} onChange={setDays}
        data={DAYS.map((value) => ({ value, label: t("days.in", { count: Number(value) }) }))} />
      <FormProblem error={create.error} fields={["note"]} />
      <Answers submit={t("invites.make")} busy={create.isPending} onCancel={onClose} />
    </form>
  );
}
