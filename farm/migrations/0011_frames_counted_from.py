"""The number a boot's frames are counted from, as its birth says: for frames lost before the first."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("farm", "0010_command_amounts_are_there")]

    operations = [
        migrations.AddField(
            model_name="bootsequence",
            name="counted_from",
            field=models.BigIntegerField(null=True),
        ),
    ]
