"""What the environment says about how this service runs."""

from crm.settings.reading import PROJECT, LogFormat, LogLevel, Settings, read
from crm.settings.refused import SettingRefused

__all__ = ["PROJECT", "LogFormat", "LogLevel", "SettingRefused", "Settings", "read"]
