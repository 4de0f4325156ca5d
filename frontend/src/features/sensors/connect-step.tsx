/** Step 3: the token, shown once, how a device sends, and one value from here. */

import { Button, CopyButton, SegmentedControl, TextInput } from "@mantine/core";
import { useState, type SubmitEvent, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useProject } from "@/api/me";
import type { Sensor } from "@/api/model";
import { sendTestSample } from "@/api/sensors";
import { useTelemetry } from "@/telemetry/use-telemetry";
import { Icon } from "@/ui/icons";

import styles from "./new-sensor.module.css";
import { parseNumber } from "@/ui/profile-fields";

interface Props {
  readonly sensor: Sensor;
  readonly onAnother: () => void;
}

type Way = "http" | "mqtt";

export function ConnectStep({ sensor, onAnother }: Props): ReactElement {
  const { t } = useTranslation();
  const project = useProject();
  const navigate = useNavigate();
  const [way, setWay] = useState<Way>("http");
  const token = sensor.token ?? null;
  return (
    <div className={styles.form}>
      <h2>{t("step.connect")}</h2>
      {token === null ? (
        <p className={styles.note}>
          <Icon name="lock" /> {t("sensor.ownerToken")}
        </p>
      ) : (
        <>
          <div className={styles.token}>
            <TextInput size="sm" label={t("sensor.token")} readOnly value={token} classNames={{ input: styles.mono ?? "" }} onFocus={(event) => event.currentTarget.select()} />
            <CopyButton value={token}>
              {({ copied, copy }) => (
                <Button size="sm" leftSection={<Icon name={copied ? "check" : "copy"} size={14} />} onClick={copy}>
                  {copied ? t("copied") : t("sensor.copyToken")}
                </Button>
              )}
            </CopyButton>
          </div>
          <p className={styles.once}>
            <Icon name="warn" size={14} /> {t("sensor.once")}
          </p>
          <div className={styles.wayHead}>
            <span className={styles.label}>{t("sensor.send")}</span>
            <SegmentedControl aria-label={t("sensor.send")} value={way} onChange={(value) => setWay(value)}
              data={[{ value: "http", label: "HTTP" }, { value: "mqtt", label: "MQTT" }]} />
          </div>
          <pre className={styles.code} tabIndex={0}>
            {way === "http" ? curl(token) : mosquitto(sensor.id, token)}
          </pre>
          <TestPacket sensor={sensor} token={token} />
        </>
      )}
      <div className={styles.ends}>
        <Button size="sm" onClick={onAnother}>
          {t("sensor.another")}
        </Button>
        <Button size="sm" variant="filled" onClick={() => void navigate(`/p/${project.id}/monitor`)}>
          {t("finish")}
        </Button>
      </div>
    </div>
  );
}

function curl(token: string): string {
  return [
    `curl ${window.location.origin}/api/v1/telemetry \\`,
    `  -H "Authorization: Bearer ${token}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '{"samples": [{"v": 2.3461}]}'`,
  ].join("\n");
}

function mosquitto(id: string, token: string): string {
  return [
    `mosquitto_pub -h ${window.location.hostname} -p 1883 -q 1 \\`,
    `  -i ${id} -u ${id} \\`,
    `  -P ${token} \\`,
    `  -t etp/v1/telemetry/${id} -m 2.3461`,
  ].join("\n");
}

interface TestProps {
  readonly sensor: Sensor;
  readonly token: string;
}

function TestPacket({ sensor, token }: TestProps): ReactElement {
  const { t } = useTranslation();
  const client = useTelemetry();
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<{ ok: boolean; text: string } | null>(null);
  const value = parseNumber(text);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (value === null) {
      setAnswer({ ok: false, text: t("profileError.number") });
      return;
    }
    setBusy(true);
    try {
      const said = await sendTestSample(token, value, client.nowS());
      setAnswer(said.accepted > 0 ? { ok: true, text: t("test.accepted") } : { ok: false, text: said.reason ?? t("test.refused") });
    } catch {
      setAnswer({ ok: false, text: t("problem.unreachable") });
    }
    setBusy(false);
  };
  return (
    <form className={styles.test} onSubmit={(event) => void submit(event)}>
      <TextInput size="sm" label={t("test.label")} inputMode="decimal" value={text} onChange={(event) => setText(event.currentTarget.value)}
        rightSection={<span className={styles.unit}>{sensor.input_unit}</span>} rightSectionWidth={56} />
      <Button type="submit" size="sm" loading={busy}>
        {t("test.send")}
      </Button>
      {answer !== null && (
        <p role="status" className={answer.ok ? styles.good : styles.problem}>
          {answer.text}
        </p>
      )}
    </form>
  );
}
