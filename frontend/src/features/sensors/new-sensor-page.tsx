/** A new sensor in three steps, ending in a live test value. */

import { UnstyledButton } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, Navigate } from "react-router";

import { useMayEdit, useProject } from "@/api/me";
import type { Sensor, SensorType } from "@/api/model";
import { refusedFields } from "@/api/problem";
import { useCreateSensor } from "@/api/sensors";
import { axisWords, parseAxis } from "@/ui/axis";
import { explain } from "@/ui/explain";
import { Icon } from "@/ui/icons";
import { PageBar } from "@/ui/page-bar";
import { NO_FIELDS, parseProfile, type ProfileFields } from "@/ui/profile-fields";

import { ConnectStep } from "./connect-step";
import { parseHeartbeat } from "./heartbeat";
import { IdentityStep, NEW_IDENTITY, type Identity } from "./identity-step";
import { LiveTest } from "./live-test";
import styles from "./new-sensor.module.css";
import { UnitsStep, type Units } from "./units-step";

const NEW_UNITS: Units = { inputUnit: "V", displayUnit: "°C", notes: "" };

const STEPS = ["identity", "units", "connect"] as const;
/** What the hub may refuse of the first step. */
const OF_IDENTITY = /^(name|type|token|heartbeat_interval_s|axis(\..*)?)$/;

export function NewSensorPage(): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const mayEdit = useMayEdit();
  const create = useCreateSensor(project.id);
  const [step, setStep] = useState(0);
  const [identity, setIdentity] = useState<Identity>(NEW_IDENTITY);
  const [units, setUnits] = useState<Units>(NEW_UNITS);
  const [profile, setProfile] = useState<ProfileFields>(NO_FIELDS);
  const [sensor, setSensor] = useState<Sensor | null>(null);
  if (!mayEdit) return <Navigate to={`/p/${project.id}/monitor`} replace />;

  const parsed = parseProfile(profile);
  const { axis } = parseAxis(identity.axis);
  const register = (): void =>
    create.mutate(
      {
        name: identity.name.trim(),
        type: identity.type,
        heartbeat_interval_s: parseHeartbeat(identity.heartbeatS) ?? 0,
        time_source: identity.timeSource,
        ...(axis === null ? {} : { axis }),
        input_unit: units.inputUnit.trim(),
        display_unit: (profile.kind === "none" ? units.inputUnit : units.displayUnit).trim(),
        calibration_notes: units.notes.trim(),
        ...(parsed.payload === null ? {} : { profile: parsed.payload }),
        ...(identity.token.trim() === "" ? {} : { token: identity.token.trim() }),
      },
      {
        onSuccess: (made) => {
          setSensor(made);
          setStep(2);
        },
        onError: (error) => {
          if (Object.keys(refusedFields(error)).some((field) => OF_IDENTITY.test(field))) setStep(0);
        },
      },
    );
  const another = (): void => {
    setIdentity({ ...identity, name: "", token: "" });
    setSensor(null);
    create.reset();
    setStep(0);
  };
  const fields = refusedFields(create.error);
  const general = create.error !== null && Object.keys(fields).length === 0 ? explain(create.error, t).detail : null;
  const subject = (type: SensorType): string => t(`type.${type}`);

  return (
    <>
      <PageBar before={<Link to={`/p/${project.id}/monitor`}>{t("tab.monitor")}</Link>} title={t("sensor.new")} />
      <div className={styles.page}>
        <ol className={styles.steps} aria-label={t("sensor.steps")}>
          {STEPS.map((name, i) => (
            <li key={name} aria-current={i === step ? "step" : undefined} data-done={i < step || undefined}>
              <span className={styles.disc}>{i < step ? <Icon name="check" size={12} /> : i + 1}</span>
              <span>
                <b>{t(`step.${name}`)}</b>
                <small>{t(`step.${name}Text`)}</small>
              </span>
            </li>
          ))}
        </ol>
        <div className={styles.forms}>
          {step > 0 && (
            <Done title={t("step.identity")} {...(sensor === null ? { onEdit: () => setStep(0) } : {})}>
              <b>{identity.name}</b>
              <small>
                {subject(identity.type)} · {project.name} · {t("sensor.heartbeatEvery", { n: identity.heartbeatS })}
                {axis !== null && ` · ${axisWords(axis, t)}`}
              </small>
            </Done>
          )}
          {step > 1 && (
            <Done title={t("step.units")}>
              <b>
                {profile.kind === "none" ? units.inputUnit : `${units.inputUnit} → ${units.displayUnit}`}, {t(`profile.${profile.kind}`)}
              </b>
              <small>{units.notes === "" ? t("sensor.active") : units.notes}</small>
            </Done>
          )}
          {step === 0 && <IdentityStep value={identity} errors={fields} onChange={setIdentity} onNext={() => setStep(1)} />}
          {step === 1 && (
            <UnitsStep units={units} profile={profile} parsed={parsed} errors={fields} problem={general} busy={create.isPending}
              onUnits={setUnits} onProfile={setProfile} onNext={register} />
          )}
          {step === 2 && sensor !== null && <ConnectStep sensor={sensor} onAnother={another} />}
        </div>
        <div className={styles.live}>{sensor === null ? <p className={styles.waiting}>{t("test.later")}</p> : <LiveTest sensor={sensor} />}</div>
      </div>
    </>
  );
}

interface DoneProps {
  readonly title: string;
  readonly onEdit?: () => void;
  readonly children: React.ReactNode;
}

function Done({ title, onEdit, children }: DoneProps): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={styles.done}>
      <span className={styles.doneTitle}>{title}</span>
      <span className={styles.doneText}>{children}</span>
      {onEdit !== undefined && (
        <UnstyledButton className={styles.edit} onClick={onEdit}>
          {t("edit")}
        </UnstyledButton>
      )}
    </div>
  );
}
