/** English and Russian; the other language loads when it is chosen, the words of some pages with the first of them. */

import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { setLocale } from "@/ui/format";

import en from "./en";
import type access from "./en-access";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en & typeof access };
    keySeparator: false;
    nsSeparator: false;
  }
}

export const LANGUAGES = [
  { code: "en", name: "English" },
  { code: "ru", name: "Русский" },
] as const;

export type Language = (typeof LANGUAGES)[number]["code"];

const KEY = "etp-language";

/** Words of the pages around accounts, access and devices; kept out of what the monitor must load. */
const LATER: Record<Language, () => Promise<{ readonly default: object }>> = {
  en: () => import("./en-access"),
  ru: () => import("./ru-access"),
};
let later: Promise<void> | null = null;

function wanted(): Language {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(KEY);
  } catch {
    // Without storage the browser's language decides.
  }
  const first = stored ?? navigator.language;
  return first.startsWith("ru") ? "ru" : "en";
}

async function load(language: Language): Promise<void> {
  if (language === "ru" && !i18next.hasResourceBundle("ru", "translation")) {
    i18next.addResourceBundle("ru", "translation", (await import("./ru")).default);
  }
  if (later !== null) await add(language);
  setLocale(language);
  document.documentElement.lang = language;
}

async function add(language: Language): Promise<void> {
  i18next.addResourceBundle(language, "translation", (await LATER[language]()).default, true);
}

/** Load the words of those pages, now and with each language chosen from here on. */
export function loadAccessTexts(): Promise<void> {
  // The first page is under way before the language is known.
  later ??= startI18n()
    .then(() => add(i18next.language as Language))
    .catch((error: unknown) => {
      later = null;
      throw error;
    });
  return later;
}

let started: Promise<void> | null = null;

export function startI18n(): Promise<void> {
  return (started ??= start());
}

async function start(): Promise<void> {
  const language = wanted();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "en",
    resources: { en: { translation: en } },
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
  });
  await load(language);
  if (language !== "en") await i18next.changeLanguage(language);
}

export async function chooseLanguage(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // The choice then lasts as long as the page.
  }
}
