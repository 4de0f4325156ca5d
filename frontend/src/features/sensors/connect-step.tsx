/** Step 3: the token, shown once, how a device sends, and one value from here. */

import { Button, CopyButton, SegmentedControl, TextInput } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { useProject } from "@/api/me";
import type { Sensor } from "@/api/model";
import { Icon } from "@/ui/icons";
import { Script } from "@/ui/script";
import { StepTitle } from "@/ui/step-title";

import styles from "./new-sensor.module.css";
import { TestPacket } from "./test-packet";

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
      <StepTitle>{t("step.connect")}</StepTitle>
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
          <Script label={t("sensor.send")}>{way === "http" ? curl(token, sample(sensor)) : mosquitto(sensor.id, token, sample(sensor))}</Script>
        </>
      )}
      <section className={styles.test} aria-labelledby="test-packet">
        <h3 id="test-packet">{t("test.title")}</h3>
        <TestPacket sensor={sensor} token={token} />
      </section>
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

/** One sample as a shell writes it; the numbers of an array are counted out by `seq`. */
function sample({ axis }: Sensor): string {
  return axis == null ? `'{"samples": [{"v": 2.3461}]}'` : `"{\\"samples\\": [{\\"v\\": [$(seq -s, ${axis.count})]}]}"`;
}

function curl(token: string, body: string): string {
  return [
    `curl ${window.location.origin}/api/v1/telemetry \\`,
    `  -H "Authorization: Bearer ${token}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d ${body}`,
  ].join("\n");
}

function mosquitto(id: string, token: string, body: string): string {
  return [
    `mosquitto_pub -h ${window.location.hostname} -p 1883 -q 1 \\`,
    `  -i ${id} -u ${id} \\`,
    `  -P ${token} \\`,
    `  -t etp/v1/telemetry/${id} -m ${body}`,
  ].join("\n");
}
