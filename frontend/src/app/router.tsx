/** Every address of the dashboard; pages load when they are first shown. */

import type { ComponentType } from "react";
import { createBrowserRouter, Navigate } from "react-router";

import { loadAccessTexts } from "./i18n";
import { PageFailed } from "./pages/page-failed";
import { Home } from "./shell/home";
import { Session } from "./shell/session";

/** Nothing is drawn while the first page loads: it takes a moment only. */
const Blank = (): null => null;

const unknown = async (): Promise<{ Component: ComponentType }> => ({ Component: (await import("./pages/unknown-address")).UnknownAddress });

const shell = async (): Promise<{ Component: ComponentType }> => ({ Component: (await import("./shell/shell")).Shell });

/** A page that brings its own words. */
function worded(load: () => Promise<ComponentType>): () => Promise<{ Component: ComponentType }> {
  return async () => {
    const [Component] = await Promise.all([load(), loadAccessTexts()]);
    return { Component };
  };
}

export const router = createBrowserRouter([
  {
    HydrateFallback: Blank,
    ErrorBoundary: PageFailed,
    children: [
      {
        lazy: async () => ({ Component: (await import("./shell/quiet")).Quiet }),
        children: [
          { path: "/login", lazy: worded(async () => (await import("@/features/auth/login-page")).LoginPage) },
          { path: "/register", lazy: worded(async () => (await import("@/features/auth/register-page")).RegisterPage) },
          { path: "/forgot", lazy: worded(async () => (await import("@/features/auth/forgot-page")).ForgotPage) },
          { path: "/reset", lazy: worded(async () => (await import("@/features/auth/reset-page")).ResetPage) },
        ],
      },
      {
        Component: Session,
        ErrorBoundary: PageFailed,
        children: [
          { index: true, Component: Home },
          {
            lazy: shell,
            ErrorBoundary: PageFailed,
            children: [
              { path: "account", lazy: worded(async () => (await import("@/features/account/account-page")).AccountPage) },
              { path: "projects/new", lazy: worded(async () => (await import("@/features/projects/new-project-page")).NewProjectPage) },
              { path: "*", lazy: unknown },
            ],
          },
          {
            path: "p/:projectId",
            lazy: shell,
            ErrorBoundary: PageFailed,
            children: [
              { index: true, element: <Navigate to="monitor" replace /> },
              { path: "monitor", lazy: async () => ({ Component: (await import("@/features/sensors/monitor-page")).MonitorPage }) },
              { path: "sensors/new", lazy: worded(async () => (await import("@/features/sensors/new-sensor-page")).NewSensorPage) },
              { path: "proposals", lazy: worded(async () => (await import("@/features/proposals/proposals-page")).ProposalsPage) },
              { path: "sensors/:sensorId", lazy: worded(async () => (await import("./pages/sensor-page")).SensorPage) },
              { path: "experiments", lazy: async () => ({ Component: (await import("@/features/experiments/experiments-page")).ExperimentsPage }) },
              { path: "experiments/:experimentId", lazy: async () => ({ Component: (await import("./pages/experiment-page")).ExperimentPage }) },
              { path: "experiments/:experimentId/runs/:runId", lazy: async () => ({ Component: (await import("./pages/run-page")).RunPage }) },
              { path: "settings", lazy: worded(async () => (await import("@/features/settings/settings-page")).SettingsPage) },
              { path: "audit", lazy: worded(async () => (await import("@/features/audit/audit-page")).AuditPage) },
              { path: "*", lazy: unknown },
            ],
          },
        ],
      },
    ],
  },
]);
