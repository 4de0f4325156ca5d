/** The field for a code of the authenticator; a recovery code serves as well. */

import { TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  /** Only the six digits will do: the authenticator itself is to be tried. */
  readonly digitsOnly?: boolean;
  /** Another field comes before it and takes the focus. */
  readonly second?: boolean;
  readonly error?: string | undefined;
}

/** Named `otp` in its form. */
export function CodeField({ digitsOnly = false, second = false, error }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <TextInput
      size="sm"
      name="otp"
      label={t("code.label")}
      description={digitsOnly ? undefined : t("code.help")}
      inputWrapperOrder={["label", "input", "description", "error"]}
      autoComplete="one-time-code"
      inputMode={digitsOnly ? "numeric" : "text"}
      autoCapitalize="characters"
      spellCheck={false}
      required
      withAsterisk={false}
      minLength={6}
      maxLength={40}
      {...(second ? {} : { "data-autofocus": true, autoFocus: true })}
      error={error}
    />
  );
}

/** The code that a form holds, without the blanks that authenticators show between the digits. */
export function codeOf(form: HTMLFormElement): string {
  const typed = (new FormData(form).get("otp") as string | null) ?? "";
  return typed.replaceAll(/\s+/g, "");
}
