/** Russian of proposals: channels of devices that speak foreign formats. */

import type en from "./en-proposals";
import type { Translated } from "./translated";

const ru: Translated<typeof en> = {
  "proposals.title": "Заявки",
  "proposals.proposed": "Ждут решения",
  "proposals.bound": "Принятые",
  "proposals.ignored": "Отклонённые",
  "proposals.problem": "Не удалось загрузить заявки",
  "proposals.about": "Это прислали устройства, но ни один датчик этого пока не принимает. Отсчёты хранятся сутки: примите канал, и они станут отсчётами датчика.",
  "proposals.aboutOnly": "Это прислали устройства, но ни один датчик пока этого не принимает. Отсчёты хранятся сутки. Решают редакторы и владельцы.",
  "proposals.none": "Решать нечего",
  "proposals.noneText": "Telegraf, устройства ThingsBoard и всё, что говорит на line protocol InfluxDB или SenML, могут слать сюда с токеном edge-агента. Неизвестное ждёт на этой странице.",
  "proposals.noneHint": "следующее устройство",
  "proposals.noneBound": "Ни один канал ещё не стал датчиком.",
  "proposals.noneIgnored": "Отклонённых каналов нет.",
  "proposals.channel": "Канал",
  "proposals.from": "Источник",
  "proposals.fromSource": "{{source}}, {{format}}",
  "proposals.last": "Последнее значение",
  "proposals.held": "Хранится отсчётов",
  "proposals.heldOf": "{{held}} из {{samples}}",
  "proposals.seen": "Последний сигнал",
  "proposals.decision": "Решение",
  "proposals.accept": "Принять",
  "proposals.acceptNamed": "Принять {{name}}",
  "proposals.acceptTitle": "Принять канал",
  "proposals.acceptAs": "Чем станет канал",
  "proposals.existing": "Существующий датчик",
  "proposals.unit": "Единица",
  "proposals.physical": "Значения уже физические",
  "proposals.physicalHelp": "Иначе задайте датчику преобразование потом.",
  "proposals.accepted": "{{name}} принимает канал",
  "proposals.acceptedText": "Отсчёты за последние сутки появятся через мгновение.",
  "proposals.ignore": "Отклонить",
  "proposals.ignoreNamed": "Отклонить {{name}}",
  "proposals.ignoreTitle": "Отклонить канал?",
  "proposals.ignoreText": "Всё, что хранится от {{name}}, исчезнет, и больше ничего храниться не будет. Принять канал можно и позже.",
  "proposals.unbindText": "{{name}} больше не поступает в свой датчик; что в датчике уже есть, останется. Канал можно принять заново.",

  "problem.proposal-settled": "Кто-то уже принял этот канал.",
  "problem.sensor-of-another": "За этот датчик шлёт другой edge-агент. Сначала отвяжите датчик от него или создайте новый.",
};

export default ru;
