import { expect, it } from "vitest";

import { demoCommand } from "@/ui/demo-command";

const of = (project: string): string => demoCommand("scenario bench", project, "ann@example.com", "http://127.0.0.1:8080");

it("names the project, who asks, and the hub", () => {
  expect(of("demo_project")).toBe(".venv/bin/demo-sensor scenario bench \\\n  --project demo_project --email ann@example.com \\\n  --hub http://127.0.0.1:8080");
});

it("leaves nothing of a name to the shell", () => {
  expect(of("Pump bench")).toContain("--project 'Pump bench' ");
  expect(of("$(rm) `x`")).toContain("--project '$(rm) `x`' ");
  expect(of("Ann's")).toContain("--project 'Ann'\\''s' ");
});
