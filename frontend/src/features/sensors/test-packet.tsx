/** A test packet: typed, tried without a trace or sent for good, and what became of it. */

import { Button, SegmentedControl, Textarea, TextInput } from "@mantine/core";
import { useId, useState, type ReactElement, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { useTest } from "@/api/trials";
import { FormProblem } from "@/ui/form-problem";
import { useInvalidFocus } from "@/ui/use-invalid-focus";

import { exampleArray, examplePacket, parsePacket, type PacketForm } from "./packets";
import { TestAnswer } from "./test-answer";
import styles from "./test-packet.module.css";

interface Props {
  readonly sensor: Sensor;
  /** The sensor's own token where it is at hand: what is sent for good then goes by it. */
  readonly token?: string | null;
}

const FORMS = ["value", "packet"] as const;

export function TestPacket({ sensor, token = null }: Props): ReactElement {
  const { t } = useTranslation();
  const id = useId();
  const test = useTest(sensor, token);
  const [form, setForm] = useState<PacketForm>("value");
  const [typed, setTyped] = useState<Record<PacketForm, string>>({ value: "", packet: "" });
  const [tries, setTries] = useState(0);
  const element = useInvalidFocus(tries);
  const axis = sensor.axis ?? null;
  const parsed = parsePacket(form, typed[form], axis);
  const fault = tries > 0 && "error" in parsed ? t(`testError.${parsed.error}`, { what: parsed.what }) : undefined;
  const put = (text: string): void => setTyped({ ...typed, [form]: text });
  const go = (store: boolean): void => {
    if ("error" in parsed) {
      test.reset();
      setTries(tries + 1);
      return;
    }
    setTries(0);
    test.mutate({ text: parsed.text, store });
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    go(false);
  };
  const code = { spellCheck: false, autoComplete: "off", classNames: { input: styles.mono ?? "" } } as const;
  const busy = test.isPending ? test.variables.store : null;
  return (
    <form ref={element} className={styles.form} onSubmit={submit} noValidate>
      <div className={styles.head}>
        <SegmentedControl aria-label={t("test.form")} value={form} onChange={setForm} data={FORMS.map((value) => ({ value, label: t(`test.${value}`) }))} />
        {(form === "packet" || axis !== null) && (
          <Button variant="subtle" onClick={() => put(form === "value" && axis !== null ? JSON.stringify(exampleArray(axis)) : examplePacket(axis, Date.now() / 1000))}>
            {t("test.example")}
          </Button>
        )}
      </div>
      {form === "packet" ? (
        <Textarea label={t("test.packet")} description={t("test.packetHelp")} rows={5} value={typed.packet} error={fault} data-autofocus {...code}
          placeholder={'{"samples": [{"v": 1.5}]}'} onChange={(event) => put(event.currentTarget.value)} />
      ) : axis === null ? (
        <TextInput size="sm" className={styles.value ?? ""} label={t("test.raw")} inputMode="decimal" autoComplete="off" value={typed.value} error={fault} data-autofocus
          rightSection={<span className={styles.unit}>{sensor.input_unit}</span>} rightSectionWidth={56} onChange={(event) => put(event.currentTarget.value)} />
      ) : (
        <Textarea label={t("test.array")} description={t("test.arrayHelp", { count: axis.count })} rows={4} value={typed.value} error={fault} data-autofocus {...code}
          placeholder="[0.1, 0.2, 0.3]" onChange={(event) => put(event.currentTarget.value)} />
      )}
      <div className={styles.ways}>
        <Button type="submit" size="sm" loading={busy === false} disabled={busy === true} aria-describedby={`${id}-try`}>
          {t("test.try")}
        </Button>
        <p id={`${id}-try`}>{t("test.tryText")}</p>
        <Button size="sm" loading={busy === true} disabled={busy === false} aria-describedby={`${id}-send`} onClick={() => go(true)}>
          {t("test.send")}
        </Button>
        <p id={`${id}-send`}>{t(token === null ? "test.sendText" : "test.sendTokenText")}</p>
      </div>
      <FormProblem error={test.error} />
      {/* There from the beginning, so that a screen reader hears what comes into it. */}
      <div role="status" aria-label={t("test.answer")}>
        {test.data !== undefined && <TestAnswer sensor={sensor} tested={test.data} />}
      </div>
    </form>
  );
}
