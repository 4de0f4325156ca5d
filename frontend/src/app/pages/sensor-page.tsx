/** A sensor: how it is doing, its conversion, what it is and may send, its journal, and a packet to test it with. */

import type { ReactElement } from "react";

import { ConversionOfSensor } from "@/features/conversion/conversion-of-sensor";
import { JournalButton } from "@/features/sensors/journal-button";
import { SensorNow } from "@/features/sensors/sensor-now";
import { SensorSide } from "@/features/sensors/sensor-side";
import { TestPacketButton } from "@/features/sensors/test-packet-button";

export function SensorPage(): ReactElement {
  return (
    <ConversionOfSensor
      now={(sensor) => <SensorNow sensor={sensor} />}
      actions={(sensor) => (
        <>
          <JournalButton sensor={sensor} />
          <TestPacketButton sensor={sensor} />
        </>
      )}
      aside={(sensor) => <SensorSide sensor={sensor} />} />
  );
}
