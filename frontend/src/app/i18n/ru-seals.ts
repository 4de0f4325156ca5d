/** Russian of sealing and verifying captures. */

import type en from "./en-seals";
import type { Translated } from "./translated";

const ru: Translated<typeof en> = {
  "seal.about": "Цела ли запись {{number}}?",
  "seal.title": "Запись {{number}}: что в ней есть",
  "seal.share": "закрепляется, {{percent}} %",
  "seal.finished": "Завершена, но ещё не закреплена. Закрепляется, когда от всех датчиков пришли данные через десять минут после остановки, не позже чем через неделю, или сейчас.",
  "seal.failed": "Не удалась. {{why}}",
  "failure.samples_lost": "Подтверждённые отсчёты потеряны вместе с файлами потока: {{sensors}}.",
  "failure.samples_not_storable": "Подтверждены отсчёты, которые база данных не может хранить: {{sensors}}.",
  "seal.progress": "Идёт закрепление {{seal}}: датчиков {{done}} из {{sensors}}, отсчётов {{samples}}.",
  "seal.retried": "Последний шаг не удался и повторяется: {{why}}",
  "seal.waiting_one": "{{n}} отсчёт пришёл поздно и ждёт следующего закрепления.",
  "seal.waiting_few": "{{n}} отсчёта пришли поздно и ждут следующего закрепления.",
  "seal.waiting_many": "{{n}} отсчётов пришли поздно и ждут следующего закрепления.",
  "seal.waiting_other": "{{n}} отсчёта пришли поздно и ждут следующего закрепления.",
  "seal.now": "Закрепить сейчас",
  "seal.again": "Закрепить опоздавшее",
  "seal.failedToSeal": "Запись не удалось закрепить",
  "seal.numbered": "Закрепление {{seal}}",
  "seal.by": "{{name}}",
  "seal.heard": "данные пришли от всех датчиков",
  "seal.age": "через неделю",
  "seal.hand": "вручную",
  "seal.late": "опоздавшие отсчёты",
  "seal.sensor": "Датчик",
  "seal.samples": "Отсчёты",
  "seal.added": "Добавлено",
  "seal.copy": "Копировать",
  "seal.copyOf": "Копировать SHA-256: {{what}}",
  "seal.copyAll": "Копировать манифест",
  "seal.manifest": "манифест",
  "seal.verify": "Проверить",
  "seal.verifying": "Количества, хеши и физические значения вычисляются заново.",
  "seal.holds": "Проверено: всё сходится.",
  "seal.broken": "Не сходится.",
  "seal.seriesBroken": "{{sensor}}, закрепление {{seal}}: отсчёты не те, что были закреплены.",
  "seal.physicalBroken": "{{sensor}}, ревизия {{revision}}: {{n}} физических значений не те, что даёт версия {{version}}.",
  "seal.exact": "Физических значений, совпавших до бита: {{n}}.",
  "seal.close": "Совпавших в пределах 4 ulp: {{n}}.",
  "seal.problem": "Манифест не удалось загрузить",
};

export default ru;
