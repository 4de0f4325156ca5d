/** A payload in words. */

import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import type { Payload } from "@/api/profiles";

import styles from "./conversion.module.css";

export function PayloadText({ payload, sensor }: { readonly payload: Payload; readonly sensor: Sensor }): ReactElement {
  const { t } = useTranslation();
  const constants = payload.kind === "custom" ? Object.entries(payload.constants ?? {}) : [];
  return (
    <p className={styles.payload}>
      {payload.kind === "linear" && (
        <code>
          {payload.slope} · x {payload.intercept < 0 ? "−" : "+"} {Math.abs(payload.intercept)}
        </code>
      )}
      {payload.kind === "table" && t("conversion.points", { count: payload.points.length, how: t(`extrapolation.${payload.extrapolation ?? "clamp"}`) })}
      {payload.kind === "custom" && <code>{payload.expression}</code>}
      {constants.length > 0 && <code>{constants.map(([name, value]) => `${name} = ${value}`).join(", ")}</code>}
      {payload.input_range != null && (
        <span>{t("conversion.range", { low: payload.input_range[0], high: payload.input_range[1], unit: sensor.input_unit })}</span>
      )}
    </p>
  );
}
