/** Russian of edge agents: how they are doing, and what owners decide about them. */

import type en from "./en-agents";
import type { Translated } from "./translated";

const ru: Translated<typeof en> = {
  "settings.agents": "Edge-агенты",
  "agents.about": "Edge-агент принимает то, что датчики шлют по MQTT, хранит это, пока хаба нет, и пересылает по порядку.",
  "agents.none": "В этом проекте нет edge-агентов. Для датчиков, которые шлют по MQTT, он нужен.",
  "agents.problem": "Не удалось загрузить edge-агентов",
  "agents.name": "Edge-агент",
  "agents.state": "Состояние",
  "agents.told": "Был на связи",
  "agents.version": "Версия",
  "agents.waiting": "Ждёт отправки",
  "agents.dropped": "Отброшено",
  "agents.limit": "Предел",
  "agents.never": "никогда",
  "agents.instance": "экземпляр {{number}}",
  "agents.default": "по умолчанию",
  "agents.perSecond": "{{rate}} /с",
  "agents.oldest": "старейший {{time}}",
  "agents.fill": "{{share}} % хранилища",
  "agents.refused_one": "{{n}} сообщение отложено",
  "agents.refused_few": "{{n}} сообщения отложено",
  "agents.refused_many": "{{n}} сообщений отложено",
  "agents.refused_other": "{{n}} сообщения отложено",
  "agents.unreported": "{{n}} ещё не учтено",
  "agents.new": "Новый edge-агент",
  "agents.editNamed": "Изменить «{{name}}»",
  "agents.isDefault": "Агент по умолчанию",
  "agents.isDefaultHelp": "Берёт и те датчики, которые не отданы другому агенту. Такой в проекте не более одного.",
  "agents.sampleLimit": "Отсчётов в секунду, всего",
  "agents.create": "Создать агента",
  "agents.made": "Агент «{{name}}» создан",
  "agents.once": "Показан один раз. Запустите агента с ним; потерянный заменяется на вкладке «Токены устройств».",
  "agents.start": "Запуск на машине рядом с брокером",
  "agents.startText": "Сначала сохраните там токен в файл «token», закрытый от других пользователей (chmod 600).",
  "agents.saved": "Агент «{{name}}» изменён",
  "agents.delete": "Удалить",
  "agents.deleteNamed": "Удалить «{{name}}»",
  "agents.deleteText": "Его токен перестаёт действовать сразу, датчики переходят к агенту по умолчанию. Неотправленное остаётся в его хранилище.",
};

export default ru;
