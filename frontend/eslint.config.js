import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

/** Imports that a folder may not make: app → features → charts, telemetry, ui, api, one way. */
const forbid = (...group) => ["error", { patterns: [{ group, message: "app → features → charts, telemetry, ui, api: one way." }] }];

export default tseslint.config(
  { ignores: ["dist", "node_modules", "test-results", "playwright-report", "src/api/schema.d.ts"] },
  js.configs.recommended,
  { files: ["public/*.js"], languageOptions: { globals: { ...globals.browser, ...globals.serviceworker } } },
  { files: ["scripts/*.mjs", "*.config.js"], languageOptions: { globals: globals.node } },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { project: ["./tsconfig.app.json", "./tsconfig.node.json"], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
      "max-lines": ["error", { max: 400 }],
    },
  },
  { files: ["src/**/*.tsx", "src/**/*.ts"], plugins: { "react-hooks": hooks }, rules: hooks.configs.recommended.rules },
  { files: ["src/features/**"], rules: { "no-restricted-imports": forbid("@/app/*", "@/features/*", "../*") } },
  { files: ["src/charts/**", "src/ui/**"], rules: { "no-restricted-imports": forbid("@/app/*", "@/features/*") } },
  { files: ["src/api/**"], rules: { "no-restricted-imports": forbid("@/app/*", "@/features/*", "@/ui/*", "@/charts/*") } },
  {
    files: ["src/telemetry/**"],
    ignores: ["src/telemetry/use-*.ts"],
    rules: { "no-restricted-imports": forbid("@/app/*", "@/features/*", "@/ui/*", "@/charts/*", "@/api/*", "react", "react-*") },
  },
);
