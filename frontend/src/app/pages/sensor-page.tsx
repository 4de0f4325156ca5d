/** A sensor: its conversion, what it is and may send, and a packet to test it with. */

import type { ReactElement } from "react";

import { ConversionOfSensor } from "@/features/conversion/conversion-of-sensor";
import { SensorSide } from "@/features/sensors/sensor-side";
import { TestPacketButton } from "@/features/sensors/test-packet-button";

export function SensorPage(): ReactElement {
  return <ConversionOfSensor actions={(sensor) => <TestPacketButton sensor={sensor} />} aside={(sensor) => <SensorSide sensor={sensor} />} />;
}
