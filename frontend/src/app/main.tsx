/** Starts the dashboard. */

import "./theme/fonts.css";
import "./theme/mantine.css";
import "./theme/tokens.css";
import "./theme/parts.css";
import "./theme/global.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { startI18n } from "./i18n";
import { Providers } from "./providers";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root");

await startI18n();
createRoot(root).render(
  <StrictMode>
    <Providers />
  </StrictMode>,
);
