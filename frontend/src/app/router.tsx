/** Every address of the dashboard; pages load when they are first shown. */

import { createBrowserRouter } from "react-router";

import { PageFailed } from "./pages/page-failed";
import { Home } from "./shell/home";
import { Session } from "./shell/session";

/** Nothing is drawn while the first page loads: it takes a moment only. */
const Blank = (): null => null;

export const router = createBrowserRouter([
  {
    HydrateFallback: Blank,
    children: [
  { path: "/login", lazy: async () => ({ Component: (await import("@/features/auth/login-page")).LoginPage }) },
  {
    Component: Session,
    ErrorBoundary: PageFailed,
    children: [
      { index: true, Component: Home },
      {
        path: "p/:projectId",
        lazy: async () => ({ Component: (await import("./shell/shell")).Shell }),
        ErrorBoundary: PageFailed,
        children: [
          { path: "monitor", lazy: async () => ({ Component: (await import("@/features/sensors/monitor-page")).MonitorPage }) },
          { path: "sensors/new", lazy: async () => ({ Component: (await import("@/features/sensors/new-sensor-page")).NewSensorPage }) },
          { path: "experiments", lazy: async () => ({ Component: (await import("@/features/experiments/experiments-page")).ExperimentsPage }) },
          { path: "experiments/:experimentId", lazy: async () => ({ Component: (await import("./pages/experiment-page")).ExperimentPage }) },
          { path: "experiments/:experimentId/runs/:runId", lazy: async () => ({ Component: (await import("./pages/run-page")).RunPage }) },
        ],
      },
      { path: "*", Component: Home },
    ],
  },
    ],
  },
]);
