/** The field for a new password: only its length is judged here, and the hub knows the common ones. */

import { PasswordInput } from "@mantine/core";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";

import styles from "./form.module.css";
import { Icon } from "./icons";

export const MIN_PASSWORD = 15;

interface Props {
  readonly name: string;
  readonly label: string;
  readonly error?: string | undefined;
}

export function NewPassword({ name, label, error }: Props): ReactElement {
  const { t } = useTranslation();
  const [length, setLength] = useState(0);
  const enough = length >= MIN_PASSWORD;
  return (
    <div>
      <PasswordInput size="sm" name={name} label={label} autoComplete="new-password" required withAsterisk={false} minLength={MIN_PASSWORD}
        maxLength={1000} visibilityToggleButtonProps={{ "aria-label": t("password.show") }} error={error}
        onChange={(event) => setLength(Array.from(event.currentTarget.value).length)} />
      <p className={styles.help} data-good={enough || undefined} aria-live="polite">
        {enough && <Icon name="check" size={12} />}
        {length === 0 ? t("password.help", { least: MIN_PASSWORD }) : enough ? t("password.enough", { count: length }) : t("password.short", { length, least: MIN_PASSWORD })}
      </p>
    </div>
  );
}
