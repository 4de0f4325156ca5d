/** Opens a sensor's journal over its own page. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Sensor } from "@/api/model";
import { useQueryState } from "@/ui/use-query-state";

import { JournalDialog } from "./journal-dialog";

export function JournalButton({ sensor }: { readonly sensor: Sensor }): ReactElement {
  const { t } = useTranslation();
  const [journal, setJournal] = useQueryState("journal");
  return (
    <>
      <Button aria-label={t("journal.openOf", { name: sensor.name })} onClick={() => setJournal(sensor.id)}>
        {t("journal.open")}
      </Button>
      <JournalDialog sensor={journal === sensor.id ? sensor : undefined} onClose={() => setJournal(null)} />
    </>
  );
}
