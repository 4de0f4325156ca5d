/** A choice from a list: the browser's own control, in the look of this project. */

import { NativeSelect, type NativeSelectProps } from "@mantine/core";
import type { ReactElement } from "react";

import { Icon } from "./icons";

interface Props<T extends string> extends Omit<NativeSelectProps, "data" | "value" | "onChange" | "rightSection"> {
  readonly value: T;
  readonly data: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}

export function Select<T extends string>({ value, data, onChange, ...rest }: Props<T>): ReactElement {
  return (
    <NativeSelect size="xs" {...rest} value={value} rightSection={<Icon name="updown" />}
      onChange={(event) => onChange(event.currentTarget.value as T)}>
      {data.map((each) => (
        <option key={each.value} value={each.value}>
          {each.label}
        </option>
      ))}
    </NativeSelect>
  );
}
