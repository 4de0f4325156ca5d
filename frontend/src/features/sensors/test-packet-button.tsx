/** Opens the test packet over the sensor's page; only for those who may send one. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMayEdit } from "@/api/me";
import type { Sensor } from "@/api/model";
import { Dialog } from "@/ui/dialog";
import { useQueryState } from "@/ui/use-query-state";

import { TestPacket } from "./test-packet";

export function TestPacketButton({ sensor }: { readonly sensor: Sensor }): ReactElement | null {
  const { t } = useTranslation();
  const mayEdit = useMayEdit();
  const [opened, setOpened] = useQueryState("test");
  if (!mayEdit) return null;
  return (
    <>
      <Button onClick={() => setOpened("1")}>{t("test.title")}</Button>
      <Dialog opened={opened !== null} onClose={() => setOpened(null)} title={t("test.titleOf", { name: sensor.name })}>
        <TestPacket sensor={sensor} />
      </Dialog>
    </>
  );
}
