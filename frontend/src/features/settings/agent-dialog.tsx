/** Creating an edge agent, whose token is shown once, and changing one. */

import { Button, TextInput } from "@mantine/core";
import { useState, type ReactElement, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import { useCreateAgent, useUpdateAgent } from "@/api/agents";
import { useProject } from "@/api/me";
import type { EdgeAgent } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { Answers, CloseAnswer } from "@/ui/answers";
import { Check } from "@/ui/check";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { Icon } from "@/ui/icons";
import { LimitField } from "@/ui/limit-field";
import { AGENT_RULE, parseLimit } from "@/ui/limits";
import { Script } from "@/ui/script";
import { ShownOnce } from "@/ui/shown-once";
import { toast } from "@/ui/toasts";
import { useInvalidFocus } from "@/ui/use-invalid-focus";

import styles from "./settings.module.css";

export function NewAgentButton(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const create = useCreateAgent(project.id);
  const [opened, setOpened] = useState(false);
  const close = (): void => {
    create.reset();
    setOpened(false);
  };
  const made = create.data;
  return (
    <>
      <Button variant="filled" leftSection={<Icon name="plus" />} onClick={() => setOpened(true)}>
        {t("agents.new")}
      </Button>
      <Dialog opened={opened} onClose={close} locked={made !== undefined} title={made === undefined ? t("agents.new") : t("agents.made", { name: made.name })}>
        {made === undefined ? (
          <Fields agent={null} submit={t("agents.create")} busy={create.isPending} error={create.error} onCancel={close} onSubmit={(fields) => create.mutate(fields)} />
        ) : (
          <div className={form.form}>
            <ShownOnce label={t("sensor.token")} secret={made.token ?? ""} warning={t("agents.once")} />
            <div>
              <p className={styles.label}>{t("agents.start")}</p>
              <p className={styles.startText}>{t("agents.startText")}</p>
              <Script label={t("agents.start")}>{startOf(made.id)}</Script>
            </div>
            <CloseAnswer onClose={close} />
          </div>
        )}
      </Dialog>
    </>
  );
}

/** The token stays out of it: a shell would remember it. */
function startOf(id: string): string {
  return [
    `ETP_EDGE_AGENT_ID=${id} \\`,
    `ETP_EDGE_TOKEN_FILE=token ETP_MQTT_URL=mqtt://127.0.0.1:1883 \\`,
    `ETP_HUB_URL=${window.location.origin} .venv/bin/etp edge`,
  ].join("\n");
}

interface EditProps {
  /** Null while none is changed. */
  readonly agent: EdgeAgent | null;
  readonly onClose: () => void;
}

export function EditAgent({ agent, onClose }: EditProps): ReactElement {
  const { t } = useTranslation();
  const update = useUpdateAgent(useProject().id);
  const close = (): void => {
    update.reset();
    onClose();
  };
  return (
    <Dialog opened={agent !== null} onClose={close} title={t("agents.editNamed", { name: agent?.name ?? "" })}>
      {agent !== null && (
        <Fields key={agent.id} agent={agent} submit={t("save")} busy={update.isPending} error={update.error} onCancel={close}
          onSubmit={(changes) =>
            update.mutate(
              { agent, changes },
              {
                onSuccess: ({ name }) => {
                  toast({ tone: "ok", title: t("agents.saved", { name }) });
                  close();
                },
              },
            )
          } />
      )}
    </Dialog>
  );
}

interface Agent {
  readonly name: string;
  readonly default: boolean;
  readonly limits: { readonly samples_per_s: number };
}

interface FieldsProps {
  /** Null while it is made. */
  readonly agent: EdgeAgent | null;
  readonly submit: string;
  readonly busy: boolean;
  readonly error: Error | null;
  readonly onSubmit: (agent: Agent) => void;
  readonly onCancel: () => void;
}

function Fields({ agent, submit, busy, error, onSubmit, onCancel }: FieldsProps): ReactElement {
  const { t } = useTranslation();
  const [name, setName] = useState(agent?.name ?? "");
  const [isDefault, setDefault] = useState(agent?.default ?? false);
  const [limit, setLimit] = useState(String(agent?.limits.samples_per_s ?? AGENT_RULE.initial));
  const [tries, setTries] = useState(0);
  const element = useInvalidFocus(tries, error);
  const refused = refusedFields(error);
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    setTries(tries + 1);
    const samples_per_s = parseLimit(limit, AGENT_RULE);
    if (name.trim() !== "" && samples_per_s !== null) onSubmit({ name: name.trim(), default: isDefault, limits: { samples_per_s } });
  };
  return (
    <form ref={element} className={form.form} onSubmit={send} noValidate>
      <TextInput size="sm" label={t("sensor.name")} maxLength={200} autoComplete="off" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)}
        error={tries > 0 && name.trim() === "" ? t("sensorError.name") : refused.name} />
      <Check checked={isDefault} onChange={setDefault} help={t("agents.isDefaultHelp")}>
        {t("agents.isDefault")}
      </Check>
      <LimitField label={t("agents.sampleLimit")} rule={AGENT_RULE} value={limit} tried={tries > 0} refused={refused["limits.samples_per_s"]} onChange={setLimit} />
      <FormProblem error={error} fields={["name", "limits.samples_per_s"]} />
      <Answers submit={submit} busy={busy} onCancel={onCancel} />
    </form>
  );
}
