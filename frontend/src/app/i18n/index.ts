/** English and Russian; the other language loads when it is chosen. */

import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { setLocale } from "@/ui/format";

import en from "./en";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
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
  setLocale(language);
  document.documentElement.lang = language;
}

export async function startI18n(): Promise<void> {
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
