/** What stands in for a page that broke: what happened, and one way on. */

import { Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useRouteError } from "react-router";

export function PageFailed(): ReactElement {
  const { t } = useTranslation();
  const error = useRouteError();
  return (
    <main style={{ padding: 24, display: "grid", gap: 12, justifyItems: "start" }}>
      <h1>{t("page.failed")}</h1>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <Button variant="filled" onClick={() => window.location.assign("/")}>
        {t("page.start")}
      </Button>
    </main>
  );
}
