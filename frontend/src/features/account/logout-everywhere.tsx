/** End all sessions of this account at once, after a question. */

import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { session } from "@/api/session";
import { Confirm } from "@/ui/confirm";

export function LogoutEverywhere(): ReactElement {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const leave = useMutation({
    mutationFn: (everywhere: boolean) => session.logout(everywhere),
    onSuccess: () => navigate("/login"),
  });
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t("sessions.everywhere")}</Button>
      <Confirm about={asking || null} title={t("sessions.everywhereTitle")} text={t("sessions.everywhereText")} action={t("sessions.everywhere")}
        change={leave} onClose={() => setAsking(false)} />
    </>
  );
}
