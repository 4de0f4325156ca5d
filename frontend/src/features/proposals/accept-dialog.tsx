/** What a channel is: a new sensor, described as it was guessed, or one that exists. */

import { SegmentedControl, TextInput } from "@mantine/core";
import { useState, type ReactElement, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import { useProject } from "@/api/me";
import { SENSOR_TYPES, type Proposal, type ProposalAccept, type Sensor } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { useAcceptProposal } from "@/api/proposals";
import { useSensors } from "@/api/sensors";
import { Answers } from "@/ui/answers";
import { Check } from "@/ui/check";
import { Dialog } from "@/ui/dialog";
import { FormProblem } from "@/ui/form-problem";
import form from "@/ui/form.module.css";
import { Select } from "@/ui/select";
import { toast } from "@/ui/toasts";

import { guess } from "./guess";
import styles from "./proposals.module.css";

/** What the device sends is what it measured. */
const AS_IT_COMES = { kind: "linear", slope: 1, intercept: 0 } as const;

interface Props {
  readonly proposal: Proposal | null;
  readonly onClose: () => void;
}

export function AcceptDialog({ proposal, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Dialog opened={proposal !== null} onClose={onClose} title={t("proposals.acceptTitle")}>
      {proposal !== null && <Content key={proposal.id} proposal={proposal} onClose={onClose} />}
    </Dialog>
  );
}

function Content({ proposal, onClose }: { readonly proposal: Proposal; readonly onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const sensors = useSensors(project.id, false).data ?? [];
  const accept = useAcceptProposal(project.id);
  const [fields, setFields] = useState(() => guess(proposal));
  const [physical, setPhysical] = useState(true);
  const [existing, setExisting] = useState<string | null>(null);
  const errors = refusedFields(accept.error);
  const what: ProposalAccept =
    existing === null
      ? {
          sensor: {
            name: fields.name,
            type: fields.type,
            input_unit: fields.unit,
            display_unit: fields.unit,
            ...(physical ? { profile: AS_IT_COMES } : {}),
          },
        }
      : { sensor_id: existing };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    accept.mutate(
      { proposal, what },
      {
        onSuccess: () => {
          const name = existing === null ? fields.name : nameOf(sensors, existing);
          toast({ tone: "ok", title: t("proposals.accepted", { name }), detail: t("proposals.acceptedText") });
          onClose();
        },
      },
    );
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <p className={`${form.mono ?? ""} ${styles.channel ?? ""}`}>{proposal.name}</p>
      {sensors.length > 0 && (
        <div>
          <SegmentedControl aria-label={t("proposals.acceptAs")} value={existing === null ? "new" : "existing"}
            onChange={(value) => setExisting(value === "new" ? null : (sensors[0]?.id ?? null))}
            data={[{ value: "new", label: t("sensor.new") }, { value: "existing", label: t("proposals.existing") }]} />
        </div>
      )}
      {existing === null ? (
        <>
          <TextInput size="sm" label={t("sensor.name")} required withAsterisk={false} maxLength={200} data-autofocus value={fields.name}
            onChange={(event) => setFields({ ...fields, name: event.currentTarget.value })} error={errors["sensor.name"]} />
          <div className={styles.pair}>
            <Select size="sm" label={t("sensor.type")} value={fields.type} onChange={(type) => setFields({ ...fields, type })}
              data={SENSOR_TYPES.map((type) => ({ value: type, label: t(`type.${type}`) }))} />
            <TextInput size="sm" label={t("proposals.unit")} maxLength={40} value={fields.unit}
              onChange={(event) => setFields({ ...fields, unit: event.currentTarget.value })} />
          </div>
          <Check checked={physical} onChange={setPhysical} help={t("proposals.physicalHelp")}>
            {t("proposals.physical")}
          </Check>
        </>
      ) : (
        <Select size="sm" label={t("monitor.sensor")} value={existing} onChange={setExisting}
          data={sensors.map((sensor) => ({ value: sensor.id, label: sensor.name }))} />
      )}
      <FormProblem error={accept.error} fields={["sensor.name"]} />
      <Answers submit={t("proposals.accept")} busy={accept.isPending} onCancel={onClose} />
    </form>
  );
}

function nameOf(sensors: readonly Sensor[], id: string): string {
  return sensors.find((sensor) => sensor.id === id)?.name ?? "";
}
