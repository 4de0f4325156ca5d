import { Button, createTheme, Menu, SegmentedControl, Tooltip, type MantineColorsTuple } from "@mantine/core";

/** The accent in ten shades, 6 on light and 5 on dark; what is drawn comes from the roles in tokens.css. */
const accent: MantineColorsTuple = [
  "#EDEFFC", "#D5DAF9", "#B7BFF4", "#9AA6FF", "#7583EE", "#5060E6", "#4353D9", "#3745B8", "#2C3794", "#1E2340",
];

const FADE = { transition: "fade", duration: 120 } as const;

export const theme = createTheme({
  colors: { accent },
  primaryColor: "accent",
  primaryShade: { light: 6, dark: 5 },
  autoContrast: false,
  defaultRadius: 4,
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Button: Button.extend({ defaultProps: { size: "xs", variant: "default" } }),
    Menu: Menu.extend({ defaultProps: { transitionProps: FADE, shadow: "none", withinPortal: true } }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { transitionDuration: 0, size: "xs", withItemsBorders: false } }),
    Tooltip: Tooltip.extend({ defaultProps: { transitionProps: FADE, openDelay: 300, multiline: true, events: { hover: true, focus: true, touch: false } } }),
  },
});
