import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const hub = process.env.ETP_HUB_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": { target: hub, ws: true }, "/telemetry": hub },
    headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
  },
  // The hub puts a nonce of its own into each answer in this place: style elements need it.
  html: { cspNonce: "__CSP_NONCE__" },
  worker: { format: "es" },
  build: {
    target: "es2022",
    // The page's policy allows no data: fonts or scripts, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
    // What counts is the first load as a whole, which scripts/finish-build.mjs measures.
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      output: {
        // What every page needs travels in two pieces: dozens of small ones would pack worse.
        codeSplitting: {
          groups: [
            { name: "start", test: /src\/app\/main\.tsx$/, priority: 2 },
            { name: "shell", test: /src\/app\/shell\/shell\.tsx$/, priority: 1 },
          ],
        },
      },
    },
  },
});
