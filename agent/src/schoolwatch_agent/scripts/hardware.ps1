# Maker, model, BIOS date, chassis and disks. Serial numbers are not asked for.
function Get-Part([scriptblock]$Part) { try { @(& $Part) } catch { @() } }
[pscustomobject]@{
  computer = Get-Part { Get-CimInstance Win32_ComputerSystem -Property Manufacturer, Model |
    Select-Object Manufacturer, Model }
  bios = Get-Part { Get-CimInstance Win32_BIOS -Property ReleaseDate | Select-Object ReleaseDate }
  enclosure = Get-Part { Get-CimInstance Win32_SystemEnclosure -Property ChassisTypes | Select-Object ChassisTypes }
  disks = Get-Part { Get-CimInstance -Namespace root\Microsoft\Windows\Storage -ClassName MSFT_PhysicalDisk |
    Select-Object DeviceId, FriendlyName, MediaType, BusType }
} | ConvertTo-Json -Depth 4 -Compress
