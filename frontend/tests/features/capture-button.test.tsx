// @vitest-environment jsdom

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { afterEach, beforeAll, expect, it, vi } from "vitest";

import type { Role } from "@/api/model";
import { ProjectContext } from "@/api/me";
import en from "@/app/i18n/en";
import { CaptureButton } from "@/features/captures/capture-button";

beforeAll(async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined, addListener: () => undefined, removeListener: () => undefined }));
  vi.stubGlobal("fetch", () => new Promise(() => undefined));
  // What jsdom has not.
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  await i18next.use(initReactI18next).init({ lng: "en", resources: { en: { translation: en } }, keySeparator: false, nsSeparator: false, interpolation: { escapeValue: false } });
});
afterEach(cleanup);

function show(role: Role, recording: boolean): void {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MantineProvider>
        <ProjectContext value={{ id: "p", name: "bench", role }}>
          <CaptureButton recording={recording} blocked={role === "viewer" ? "Viewers cannot start captures." : null} number={4}
            onStart={() => Promise.resolve()} onStop={() => Promise.resolve()} />
        </ProjectContext>
      </MantineProvider>
    </QueryClientProvider>,
  );
  fireEvent.keyDown(document.body, { key: "r" });
}

it("lets a viewer see that a capture runs, and neither stop it nor ask to", () => {
  show("viewer", true);
  expect(screen.getByText("Recording")).toBeTruthy();
  expect(screen.queryByRole("button")).toBeNull();
  expect(screen.queryByRole("dialog")).toBeNull();
});

it.each([true, false])("asks an editor who presses R, a capture runs: %s", (recording) => {
  show("editor", recording);
  expect(screen.getByRole("dialog").textContent).toContain(recording ? "Stop capture 4?" : "Start a capture?");
});
