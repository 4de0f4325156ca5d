"""From which address a password was set by mail: attempts to log in from there are counted apart."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep the address with the one-time link."""
    op.execute("alter table password_reset add column used_from text")


def downgrade() -> None:
    """Forget the addresses."""
    op.execute("alter table password_reset drop column used_from")
